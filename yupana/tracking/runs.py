"""An MLflow run: what is written of a candidate, and how it is read back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.tracking import facts
from yupana.tracking.verdict import METRIC, Standing

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

DELETED = "deleted_on"
FINAL = "final"
_BATCH = 900
"""MLflow takes 1,000 metrics and 100 parameters or tags in one call."""


def log(
    mlflow: MlflowClient,
    run: str,
    candidate: Path,
    scores: dict[str, Any],
    fitted: dict[str, Any],
    final: str,
) -> None:
    """Parameters, every model's scores, curves by epoch, facts as tags, and the files."""
    from mlflow.entities import Metric, Param, RunTag

    now = int(time.time() * 1000)
    made = facts.read(candidate)
    told = {
        **{f"fit.{k}": v for k, v in fitted["metrics"].items()},
        **facts.flat({m: v for m, v in scores.items() if isinstance(v, dict)}),
        "seconds.fit": made.get("seconds"),
    }
    metrics = [Metric(k, float(v), now, 0) for k, v in told.items() if _number(v)]
    metrics += [Metric(k, v, now, step) for k, step, v in _curve(fitted["curve"])]
    for start in range(0, len(metrics), _BATCH):
        mlflow.log_batch(run, metrics=metrics[start : start + _BATCH])
    parameters = [Param(k, str(v)) for k, v in fitted["params"].items()]
    tags = {FINAL: final, "models": ",".join(m for m, v in scores.items() if isinstance(v, dict))}
    tags |= {k: _text(v) for k, v in facts.flat(made).items() if not k.startswith("files.")}
    mlflow.log_batch(run, params=parameters, tags=[RunTag(k, v) for k, v in tags.items()])
    mlflow.log_artifacts(run, str(candidate), "model")


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _curve(rows: list[dict[str, Any]]) -> list[tuple[str, int, float]]:
    """Name, epoch and value; a row may name the member of an ensemble that it is of."""
    points = []
    for row in rows:
        member = f"{row['member']}." if "member" in row else ""
        for name, value in row.items():
            if name != "epoch" and _number(value):
                points.append((f"{member}{name}_by_epoch", int(row["epoch"]), float(value)))
    return points


def standing(scores: dict[str, Any], final: str, split: str) -> Standing:
    """How a candidate did, from `evaluation.json`."""
    wis = {m: float(v[METRIC]) for m, v in scores.items() if isinstance(v, dict) and METRIC in v}
    return Standing(wis.pop(final), wis, split)


def standing_of(mlflow: MlflowClient, version: ModelVersion) -> Standing | None:
    """How a registered version did; None when its run does not say which scores are its own."""
    run = mlflow.get_run(str(version.run_id)).data
    if FINAL not in run.tags:
        return None
    names = run.tags["models"].split(",")
    wis = {m: run.metrics[f"{m}.{METRIC}"] for m in names if f"{m}.{METRIC}" in run.metrics}
    return Standing(wis.pop(run.tags[FINAL]), wis, version.tags["split"])


def folder(version: ModelVersion) -> Path:
    """Where a version's files lie."""
    return Path(str(version.source).removeprefix("file://"))
