"""The registry: MLflow holds each candidate's run, its files, and which one is champion."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError

if TYPE_CHECKING:
    from mlflow import MlflowClient

METRIC = "wis"


@dataclass(frozen=True)
class Registered:
    """A version in the registry; `reason` says why it is champion or challenger."""

    version: int
    alias: str
    reason: str


def client(settings: Settings) -> MlflowClient:
    """A client of this installation's MLflow (SQLite and files under `home`)."""
    import mlflow

    (settings.home / "mlflow").mkdir(parents=True, exist_ok=True)
    uri = f"sqlite:///{settings.home / 'mlflow' / 'mlflow.db'}"
    mlflow.set_tracking_uri(uri)
    return mlflow.MlflowClient(uri)


def register(
    settings: Settings, use_case: str, candidate: Path, tags: dict[str, str]
) -> Registered:
    """Log a run with the candidate's scores, curve and files, and register it as a version.

    It becomes champion when its WIS on the test weeks is below every baseline's and below
    the present champion's; otherwise it is the challenger and the champion stays.

    Raises:
        TerminalError: the candidate was not evaluated.
    """
    path = candidate / "evaluation.json"
    if not path.exists():
        raise TerminalError(
            "The candidate was not evaluated.",
            where=str(path),
            fix=f"Run `yupana evaluate {use_case} --candidate …` first.",
        )
    scores = json.loads(path.read_text())
    fitted = json.loads((candidate / "fit.json").read_text())
    mlflow = client(settings)
    for made in mlflow.search_model_versions(f"name = '{use_case}'"):
        if made.tags.get("evaluation") == tags["evaluation"]:
            holds = mlflow.get_registered_model(use_case).aliases.get("champion")
            alias = "champion" if str(holds) == str(made.version) else "challenger"
            return Registered(int(made.version), alias, str(made.description))
    alias, reason = _verdict(scores, _champion_score(mlflow, use_case))
    if day := tags.get("as_of"):
        # Its test weeks are others than the champion's: the two scores cannot be compared.
        alias, reason = "challenger", f"trained on what was known on {day}"
    run = mlflow.create_run(_experiment(settings, mlflow, use_case), tags=tags)
    try:
        _log(mlflow, run.info.run_id, candidate, scores, fitted)
        if not mlflow.search_registered_models(f"name = '{use_case}'"):
            mlflow.create_registered_model(use_case)
        made = mlflow.create_model_version(
            use_case,
            f"{run.info.artifact_uri}/model",
            run.info.run_id,
            tags=tags,
            description=reason,
        )
    except Exception:
        # Not half-registered: a run that failed says so and has no version.
        mlflow.set_terminated(run.info.run_id, "FAILED")
        raise
    mlflow.set_terminated(run.info.run_id)
    mlflow.set_registered_model_alias(use_case, alias, made.version)
    return Registered(int(made.version), alias, reason)


def champion(settings: Settings, use_case: str) -> tuple[int, Path]:
    """Version and folder of the champion.

    Raises:
        TerminalError: there is none.
    """
    from mlflow.exceptions import MlflowException

    try:
        found = client(settings).get_model_version_by_alias(use_case, "champion")
    except MlflowException as error:
        raise TerminalError(
            f"'{use_case}' has no champion in the registry.",
            where="MLflow",
            fix=f"Run `yupana train {use_case}`; if it ran, no candidate beat the baselines.",
        ) from error
    return int(found.version), Path(str(found.source).removeprefix("file://"))


def _experiment(settings: Settings, mlflow: MlflowClient, use_case: str) -> str:
    found = mlflow.get_experiment_by_name(use_case)
    if found:
        return str(found.experiment_id)
    place = (settings.home / "mlflow" / "artifacts").resolve().as_uri()
    return str(mlflow.create_experiment(use_case, artifact_location=place))


def _log(
    mlflow: MlflowClient, run: str, candidate: Path, scores: dict[str, Any], fitted: dict[str, Any]
) -> None:
    for name, value in fitted["params"].items():
        mlflow.log_param(run, name, value)
    for name, value in fitted["metrics"].items():
        mlflow.log_metric(run, name, value)
    for epoch in fitted["curve"]:
        mlflow.log_metric(run, "val_nll_by_epoch", epoch["val_nll"], step=epoch["epoch"])
    for model, values in scores.items():
        mlflow.log_metric(run, f"{model}.{METRIC}", values[METRIC])
    mlflow.log_artifacts(run, str(candidate), "model")


def _champion_score(mlflow: MlflowClient, use_case: str) -> float | None:
    from mlflow.exceptions import MlflowException

    try:
        version = mlflow.get_model_version_by_alias(use_case, "champion")
    except MlflowException:
        return None
    return float(mlflow.get_run(str(version.run_id)).data.metrics[f"network.{METRIC}"])


def _verdict(scores: dict[str, Any], present: float | None) -> tuple[str, str]:
    mine = scores["network"][METRIC]
    for name, values in scores.items():
        if name != "network" and mine >= values[METRIC]:
            return "challenger", f"WIS {mine:.3f} is not below {name}'s {values[METRIC]:.3f}"
    if present is not None and mine >= present:
        return "challenger", f"WIS {mine:.3f} is not below the champion's {present:.3f}"
    rest = ", ".join(f"{n} {v[METRIC]:.3f}" for n, v in scores.items() if n != "network")
    return "champion", f"WIS {mine:.3f} on the test weeks (baselines: {rest})"
