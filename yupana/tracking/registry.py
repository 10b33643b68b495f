"""The registry: MLflow holds each candidate's run, its files, and which one is champion."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.core import evaluation as evaluations
from yupana.core import spec as specs
from yupana.core import usecase
from yupana.core.errors import TerminalError, TransientError, UsageError
from yupana.core.evaluation import Evaluation
from yupana.gate import gate
from yupana.gate.measures import Subject, model_sha256
from yupana.tracking import card, runs, subjects
from yupana.tracking.verdict import Standing, verdict

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion


@dataclass(frozen=True)
class Registered:
    """A version in the registry; `reason` says why it is champion or challenger."""

    version: int
    alias: str
    reason: str


def client(settings: Settings) -> MlflowClient:
    """A client of this installation's MLflow; files of models lie under `home`."""
    import mlflow

    (settings.home / "mlflow").mkdir(parents=True, exist_ok=True)
    mlflow.set_tracking_uri(settings.mlflow)
    return mlflow.MlflowClient(settings.mlflow)


def _address(address: str) -> str:
    """An address without its password."""
    return re.sub(r"(//[^:/@]*):[^@/]*@", r"\1:***@", address)


@contextmanager
def reached(settings: Settings, doing: str) -> Iterator[None]:
    """Turn MLflow's, its database's and its disk's failures into one error that says what to do.

    Raises:
        TransientError: the registry cannot be reached, or failed on the way.
    """
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as error:
        message = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise TransientError(
            f"The registry failed while {doing}: {message}",
            where=_address(settings.mlflow),
            fix="Nothing was changed: the champion is the one before. Mend that, then run again.",
        ) from error


def register(
    settings: Settings, use_case: str, candidate: Path, tags: dict[str, str]
) -> Registered:
    """Log a run with the candidate's facts, scores, curves, files and card; make it a version.

    It becomes champion as `verdict` says and the gate admits; otherwise it is the challenger and
    the champion stays. One trained on a past day's knowledge (`as_of` in `tags`) is always a
    challenger.

    Raises:
        TerminalError: the candidate was not evaluated, or its use is prohibited.
        TransientError: the registry failed; there is no version, and the champion stays.
        UsageError: the same evaluation is registered as a version that was deleted.
    """
    now, metric = datetime.now(UTC), specs.load(use_case).metric
    evaluation = _evaluation(use_case, candidate)
    gate.demand_permitted(settings, use_case, now)
    fitted = json.loads((candidate / "fit.json").read_text())
    with reached(settings, "registering"):
        mlflow = client(settings)
        if before := _before(mlflow, use_case, tags["evaluation"]):
            return before
        knows, earlier = fitted["params"].get(runs.KNOWS, ""), runs.backtest(candidate)
        mine = runs.standing(metric, evaluation, tags["split"], earlier, knows)
        good, reason = judge(mlflow, use_case, mine, candidate)
        if day := tags.get("as_of"):
            good, reason = False, f"trained on what was known on {day}"
        card.write(settings, use_case, candidate, evaluation, verdict=reason)
        run = mlflow.create_run(_experiment(settings, mlflow, use_case), tags=tags).info
        version = None
        try:
            runs.log(mlflow, run.run_id, candidate, evaluation, fitted)
            mlflow.set_terminated(run.run_id)
            if not mlflow.search_registered_models(f"name = '{use_case}'"):
                mlflow.create_registered_model(use_case)
            version = mlflow.create_model_version(
                use_case,
                f"{run.artifact_uri}/model",
                run.run_id,
                tags=tags,
                description=reason,
            )
            model = subjects.of_folder(use_case, int(version.version), runs.folder(version))
            gate.note_author(settings, model, "register", now)
            if good:
                good, reason = _admitted(settings, mlflow, model, reason, now)
            alias = "champion" if good else "challenger"
            # Last: until the alias is set, nobody is served by the version.
            mlflow.set_registered_model_alias(use_case, alias, version.version)
        except BaseException:
            _undo(mlflow, use_case, run.run_id, version)
            raise
    return Registered(int(version.version), alias, reason)


def _admitted(
    settings: Settings, mlflow: MlflowClient, model: Subject, reason: str, now: datetime
) -> tuple[bool, str]:
    """Whether the gate lets the better candidate become champion by itself, and why."""
    try:
        gate.admit(settings, model.use_case, model, "promote", now)
    except gate.GateRefusedError as refused:
        unmet = ", ".join(c.code for c in refused.decision.unmet())
        reason = f"{reason}; the gate (stage {refused.decision.stage}) is not passed: {unmet}"
        mlflow.update_model_version(model.use_case, str(model.version), description=reason)
        return False, reason
    return True, reason


def _evaluation(use_case: str, candidate: Path) -> Evaluation:
    """What was measured of a candidate, by the use case's own metric and against its baselines."""
    evaluation, spec = evaluations.read(candidate), specs.load(use_case)
    where = candidate / evaluations.FILE
    if evaluation is None:
        raise TerminalError(
            "The candidate was not evaluated.",
            where=str(where),
            fix=f"Run `yupana evaluate {use_case} --candidate …` first.",
        )
    measured = evaluation.values() if evaluation.metric == spec.metric.name else {}
    models = {spec.model.final: "the final model", **dict.fromkeys(spec.metric.baselines, "")}
    if absent := [f"{what} '{m}'".strip() for m, what in models.items() if m not in measured]:
        raise TerminalError(
            f"The evaluation has no {spec.metric.name} of {', '.join(absent)}.",
            where=f"{where}: {evaluation.metric} of {', '.join(evaluation.values())}",
            fix=f"Evaluate again with this code: yupana train {use_case}",
        )
    return evaluation


def _before(mlflow: MlflowClient, use_case: str, evaluation: str) -> Registered | None:
    """The version that this evaluation already has, settled if a crash left it without alias."""
    versions = mlflow.search_model_versions(f"name = '{use_case}'")
    version = next((v for v in versions if v.tags.get("evaluation") == evaluation), None)
    if version is None:
        return None
    if version.tags.get(runs.DELETED):
        raise UsageError(
            f"This evaluation is version {version.version}, which was deleted.",
            where=f"{use_case}@{version.version}",
            fix=f"yupana models restore {use_case}@{version.version}",
        )
    aliases = aliases_of(mlflow, use_case)
    number = int(version.version)
    if number == max(int(v.version) for v in versions) and not aliases.get(number):
        # A process that was killed before the alias: left as challenger, a person may promote.
        mlflow.set_registered_model_alias(use_case, "challenger", version.version)
        return Registered(number, "challenger", "its registration broke off before the alias")
    alias = "champion" if "champion" in aliases.get(number, []) else "challenger"
    return Registered(number, alias, str(version.description))


def _undo(mlflow: MlflowClient, use_case: str, run: str, version: ModelVersion | None) -> None:
    """Leave no version and a run that says FAILED, as far as the registry still answers."""
    with suppress(Exception):
        if version is not None:
            mlflow.delete_model_version(use_case, version.version)
    with suppress(Exception):
        mlflow.set_terminated(run, "FAILED")


def aliases_of(mlflow: MlflowClient, use_case: str) -> dict[int, list[str]]:
    """Aliases by version number."""
    by_version: dict[int, list[str]] = {}
    for alias, version in mlflow.get_registered_model(use_case).aliases.items():
        by_version.setdefault(int(version), []).append(str(alias))
    return by_version


def champion(settings: Settings, use_case: str) -> tuple[int, Path]:
    """Version and folder of the champion; raises as `aliased`."""
    return aliased(settings, use_case, "champion")


def versions_by_alias(settings: Settings, use_case: str) -> dict[str, int]:
    """The version that has each alias, whatever the gate says of it; empty for no such model.

    Raises:
        TransientError: the registry cannot be reached.
    """
    with reached(settings, "looking for the aliases"):
        models = client(settings).search_registered_models(f"name = '{use_case}'")
    return {
        str(alias): int(version) for model in models for alias, version in model.aliases.items()
    }


def aliased(settings: Settings, use_case: str, alias: str) -> tuple[int, Path]:
    """Version and folder of the model with an alias (champion, challenger).

    Raises:
        TerminalError: there is none; or it is a champion that may not answer: it is suspended, or
            it did not pass the gate (an alias that was set by hand).
        TransientError: the registry cannot be reached.
    """
    with reached(settings, f"looking for the {alias}"):
        holder = _aliased(client(settings), use_case, alias)
    if holder is None:
        raise TerminalError(
            f"'{use_case}' has no {alias} in the registry.",
            where="MLflow",
            fix=f"`yupana models list {use_case}` says why; a champion comes of `yupana train "
            f"{use_case}` if a candidate beats the baselines and the gate admits it.",
        )
    version, folder = int(holder.version), runs.folder(holder)
    if alias == "champion":
        _demand_pass(settings, use_case, version, folder)
    return version, folder


def _demand_pass(settings: Settings, use_case: str, version: int, folder: Path) -> None:
    sha256 = model_sha256(folder)
    standing = gate.standing(settings, use_case, str(version), sha256, datetime.now(UTC))
    if standing.allowed:
        return
    why = standing.suspended or standing.why or ("", "")
    name = f"{use_case}@{version}"
    lift = f"a supervisor lifts it: yupana governance resume {name} --reason …"
    anew = f"one that was set by hand passes the gate by `yupana models promote {name}`"
    raise TerminalError(
        f"The champion {name} may not be used: {why[1]}.",
        where="the registry's alias 'champion', and the ledger",
        fix=f"See `yupana governance check {use_case} --model {name}`; "
        f"{lift if standing.suspended else anew}.",
    )


def _aliased(mlflow: MlflowClient, use_case: str, alias: str) -> ModelVersion | None:
    from mlflow.exceptions import MlflowException

    try:
        return mlflow.get_model_version_by_alias(use_case, alias)
    except MlflowException as error:
        # No such model, or a model without that alias; all else is the registry's own trouble.
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def judge(
    mlflow: MlflowClient, use_case: str, mine: Standing, folder: Path
) -> tuple[bool, str]:
    """Whether a model with these scores may become champion by itself, and why.

    Args:
        folder: its files.
    """
    champion = _aliased(mlflow, use_case, "champion")
    if champion is None:
        return verdict(mine, False, None)
    before = runs.standing_of(mlflow, champion, mine.metric)
    return verdict(mine, True, before, usecase.load(use_case).paired(folder, runs.folder(champion)))


def _experiment(settings: Settings, mlflow: MlflowClient, use_case: str) -> str:
    experiment = mlflow.get_experiment_by_name(use_case)
    if experiment:
        return str(experiment.experiment_id)
    place = (settings.home / "mlflow" / "artifacts").resolve().as_uri()
    return str(mlflow.create_experiment(use_case, artifact_location=place))
