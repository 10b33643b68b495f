"""An MLflow run: what is written of a candidate, and how it is read back."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.core.evaluation import Evaluation, Group, Scores
from yupana.core.spec import Metric
from yupana.tracking import facts
from yupana.tracking.verdict import Standing

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

DELETED = "deleted_on"
FINAL = "final"
BACKTEST = facts.BACKTEST
"""File in a candidate's folder: the kind's report on an earlier time, of which `scores` (as those
of an evaluation) and `key` (two reports with the same one scored the same rows) are read here."""

KNOWS = "knows_through"
"""Parameter of a fit: ISO date of the newest that it has learned from."""

_KEY = "backtest.key"
_BATCH = 900
"""MLflow takes 1,000 metrics and 100 parameters or tags in one call."""


def log(
    mlflow: MlflowClient,
    run: str,
    candidate: Path,
    evaluation: Evaluation,
    fitted: dict[str, Any],
) -> None:
    """Parameters, every model's scores (in all, by group, of the backtest), curves by epoch, facts
    as tags, and the files."""
    from mlflow.entities import Metric as Logged
    from mlflow.entities import Param, RunTag

    now = int(time.time() * 1000)
    record = facts.read(candidate)
    values = {
        **{f"fit.{k}": v for k, v in fitted["metrics"].items()},
        **facts.flat(evaluation.scores),
        **_by_group(evaluation.groups, evaluation.metric),
        "seconds.fit": record.get("seconds"),
    }
    earlier = backtest(candidate)
    values |= facts.flat({"backtest": earlier["scores"]}) if earlier else {}
    metrics = [Logged(k, float(v), now, 0) for k, v in values.items() if _number(v)]
    metrics += [Logged(k, v, now, step) for k, step, v in _curve(fitted["curve"])]
    for start in range(0, len(metrics), _BATCH):
        mlflow.log_batch(run, metrics=metrics[start : start + _BATCH])
    parameters = [Param(k, str(v)) for k, v in fitted["params"].items()]
    tags = {FINAL: evaluation.final, "models": ",".join(evaluation.scores)}
    tags |= {_KEY: earlier["key"]} if earlier else {}
    tags |= {k: _text(v) for k, v in facts.flat(record).items() if not k.startswith("files.")}
    mlflow.log_batch(run, params=parameters, tags=[RunTag(k, v) for k, v in tags.items()])
    mlflow.log_artifacts(run, str(candidate), "model")


def _by_group(groups: tuple[Group, ...], metric: str) -> dict[str, float]:
    return {
        f"group.{g.group}.{g.of}.{model}.{metric}": values[metric]
        for g in groups
        for model, values in g.scores.items()
        if metric in values
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
    """The report on a candidate's backtest; None where none was made or scored."""
    path = candidate / BACKTEST
    report = json.loads(path.read_text()) if path.exists() else {}
    return report if report.get("scores") else None


def standing(
    metric: Metric, evaluation: Evaluation, split: str, earlier: dict[str, Any] | None = None,
    knows: str = "",
) -> Standing:  # fmt: skip
    """How a candidate did, from its evaluation, the report that `backtest` gives, and the ISO
    date of the newest that it has learned from."""
    before = (
        _standing(metric, earlier["scores"], evaluation.final, str(earlier["key"]))
        if earlier
        else None
    )
    mine = _standing(metric, evaluation.scores, evaluation.final, split)
    return replace(mine, backtest=before, knows=knows)


def _standing(metric: Metric, scores: Scores, final: str, split: str) -> Standing:
    baselines = {b: scores[b][metric.name] for b in metric.baselines if b in scores}
    return Standing(metric, scores[final][metric.name], baselines, split)


def standing_of(mlflow: MlflowClient, version: ModelVersion, metric: Metric) -> Standing | None:
    """How a registered version did; None when its run does not say which scores are its own, or
    has none by this metric."""
    run = mlflow.get_run(str(version.run_id)).data
    if FINAL not in run.tags:
        return None
    names, final = run.tags["models"].split(","), run.tags[FINAL]

    def read(prefix: str, split: str) -> Standing | None:
        logged = {m: run.metrics.get(f"{prefix}{m}.{metric.name}") for m in names}
        values = {m: value for m, value in logged.items() if value is not None}
        mine = values.pop(final, None)
        return None if mine is None else Standing(metric, mine, values, split)

    mine, key = read("", version.tags["split"]), run.tags.get(_KEY)
    earlier = read("backtest.", key) if key else None
    return mine and replace(mine, backtest=earlier, knows=run.params.get(KNOWS, ""))


def folder(version: ModelVersion) -> Path:
    """Where a version's files lie."""
    return Path(str(version.source).removeprefix("file://"))
