"""An MLflow run: what is written of a candidate, and how it is read back."""

from __future__ import annotations

import json
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
BACKTEST = "backtest.json"
"""File in a candidate's folder: what `evaluation.backtest_split.run` found."""

_KEY = "backtest.key"
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
    """Parameters, every model's scores (in all, by group, of the backtest), curves by epoch, facts
    as tags, and the files."""
    from mlflow.entities import Metric, Param, RunTag

    now = int(time.time() * 1000)
    made = facts.read(candidate)
    told = {
        **{f"fit.{k}": v for k, v in fitted["metrics"].items()},
        **facts.flat({m: v for m, v in scores.items() if isinstance(v, dict)}),
        **_by_group(scores.get("groups", [])),
        "seconds.fit": made.get("seconds"),
    }
    tried = backtest(candidate)
    told |= facts.flat({"backtest": tried["scores"]}) if tried else {}
    metrics = [Metric(k, float(v), now, 0) for k, v in told.items() if _number(v)]
    metrics += [Metric(k, v, now, step) for k, step, v in _curve(fitted["curve"])]
    for start in range(0, len(metrics), _BATCH):
        mlflow.log_batch(run, metrics=metrics[start : start + _BATCH])
    parameters = [Param(k, str(v)) for k, v in fitted["params"].items()]
    tags = {FINAL: final, "models": ",".join(m for m, v in scores.items() if isinstance(v, dict))}
    tags |= {_KEY: tried["key"]} if tried else {}
    tags |= {k: _text(v) for k, v in facts.flat(made).items() if not k.startswith("files.")}
    mlflow.log_batch(run, params=parameters, tags=[RunTag(k, v) for k, v in tags.items()])
    mlflow.log_artifacts(run, str(candidate), "model")


def _by_group(groups: list[dict[str, Any]]) -> dict[str, float]:
    return {
        f"group.{g['group']}.{g['of']}.{model}.{METRIC}": value
        for g in groups
        for model, value in g[METRIC].items()
    }


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


def backtest(candidate: Path) -> dict[str, Any] | None:
    """What the backtest of a candidate found; None where none was made, or it had no origin."""
    path = candidate / BACKTEST
    found = json.loads(path.read_text()) if path.exists() else {}
    return found if found.get("scores") else None


def standing(
    scores: dict[str, Any], final: str, split: str, tried: dict[str, Any] | None = None
) -> Standing:
    """How a candidate did, from `evaluation.json` and what `backtest` gives."""
    wis = {m: float(v[METRIC]) for m, v in scores.items() if isinstance(v, dict) and METRIC in v}
    earlier = standing(tried["scores"], final, tried["key"]) if tried else None
    return Standing(wis.pop(final), wis, split, earlier)


def standing_of(mlflow: MlflowClient, version: ModelVersion) -> Standing | None:
    """How a registered version did; None when its run does not say which scores are its own."""
    run = mlflow.get_run(str(version.run_id)).data
    if FINAL not in run.tags:
        return None
    names, final = run.tags["models"].split(","), run.tags[FINAL]

    def told(prefix: str, split: str, earlier: Standing | None) -> Standing:
        found = {m: run.metrics.get(f"{prefix}{m}.{METRIC}") for m in names}
        wis = {m: value for m, value in found.items() if value is not None}
        return Standing(wis.pop(final), wis, split, earlier)

    key = run.tags.get(_KEY)
    return told("", version.tags["split"], told("backtest.", key, None) if key else None)


def folder(version: ModelVersion) -> Path:
    """Where a version's files lie."""
    return Path(str(version.source).removeprefix("file://"))
