"""What is done with registered versions: list, show, promote, delete, restore."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.core import reason as reasons
from yupana.core import spec, usecase
from yupana.core.errors import TerminalError, UsageError
from yupana.core.spec import Metric
from yupana.gate import gate
from yupana.tracking import facts, registry, runs, subjects
from yupana.tracking.verdict import Standing

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion


@dataclass(frozen=True)
class Version:
    """One version of a model, as the registry tells it.

    `standing` is None where its run does not say which scores are its own; `deleted` is the ISO
    date of its deletion, empty for one in use.
    """

    name: str
    number: int
    aliases: tuple[str, ...]
    registered: str
    reason: str
    standing: Standing | None
    tags: dict[str, str]
    params: dict[str, str]
    metrics: dict[str, float]
    folder: Path
    deleted: str

    @property
    def ref(self) -> str:
        return f"model:{self.name}@{self.number}"


@dataclass(frozen=True)
class Promotion:
    """What a promotion came to; `before` is the champion before it, None where there was none."""

    version: int
    alias: str
    reason: str
    before: int | None


def listing(settings: Settings, name: str = "") -> list[Version]:
    """Every version of a model, or of all models, oldest first; deleted ones among them.

    Raises:
        UsageError: no model of this name is registered.
    """
    with registry.reached(settings, "listing models"):
        mlflow = registry.client(settings)
        names = sorted(m.name for m in mlflow.search_registered_models())
        if name and name not in names:
            raise UsageError(
                f"No model '{name}' is registered.",
                where="MLflow",
                fix=f"Use one of: {', '.join(names)}" if names else "Train one: yupana train …",
            )
        rows = []
        for model in [name] if name else names:
            aliases, metric = registry.aliases_of(mlflow, model), _metric(model)
            versions = mlflow.search_model_versions(f"name = '{model}'")
            rows += [_version(mlflow, v, aliases, metric) for v in versions]
    return sorted(rows, key=lambda v: (v.name, v.number))


def _metric(name: str) -> Metric | None:
    """What a use case is judged by; None for one that is no longer here."""
    return spec.load(name).metric if name in usecase.names() else None


def _version(
    mlflow: MlflowClient, entry: ModelVersion, aliases: dict[int, list[str]], metric: Metric | None
) -> Version:
    run = mlflow.get_run(str(entry.run_id)).data
    when = datetime.fromtimestamp(int(entry.creation_timestamp) / 1000, UTC)
    return Version(
        name=str(entry.name),
        number=int(entry.version),
        aliases=tuple(sorted(aliases.get(int(entry.version), []))),
        registered=when.isoformat(timespec="seconds"),
        reason=str(entry.description),
        standing=runs.standing_of(mlflow, entry, metric) if metric else None,
        tags={k: v for k, v in (run.tags | entry.tags).items() if not k.startswith("mlflow.")},
        params=dict(run.params),
        metrics=dict(run.metrics),
        folder=runs.folder(entry),
        deleted=entry.tags.get(runs.DELETED, ""),
    )


def find(settings: Settings, reference: str) -> Version:
    """The version that `NAME@3`, `NAME@champion` or `model:NAME@3` names.

    Raises:
        UsageError: the reference is not of that form, or there is no such version.
    """
    name, at, which = reference.removeprefix("model:").partition("@")
    if not (name and at and which):
        raise UsageError(
            f"'{reference}' does not name a version of a model.",
            where="the model's reference",
            fix="Write NAME@VERSION or NAME@ALIAS, such as NAME@3 or NAME@champion.",
        )
    versions = listing(settings, name)
    for version in versions:
        if which in (str(version.number), *version.aliases):
            return version
    raise UsageError(
        f"'{name}' has no version '{which}'.",
        where="MLflow",
        fix=f"It has: {', '.join(str(v.number) for v in versions)} (yupana models list {name}).",
    )


def promote(settings: Settings, version: Version, *, reason: str, by: str) -> Promotion:
    """Make a version the champion; the one before becomes the challenger.

    Args:
        reason: why, in a person's words; without it only a version that is better than every
            baseline and the present champion is promoted.
        by: who asks.

    Raises:
        TerminalError: it was not evaluated, its files are not those of the fit, it is not
            better and no reason was given, or the gate refuses it.
        UsageError: it was deleted, or the reason cannot be shown (`reason.plain`).
    """
    reasons.plain(reason)
    check_whole(version)
    with registry.reached(settings, "promoting"):
        mlflow = registry.client(settings)
        before = {
            a: n for n, names in registry.aliases_of(mlflow, version.name).items() for a in names
        }
        model = subjects.of_folder(version.name, version.number, version.folder)
        # One whose alias was set by hand is judged as any other.
        now = datetime.now(UTC)
        present = before.get("champion") == version.number
        if present and gate.is_settled(settings, model, now):
            reason = "it is the champion already"
            return Promotion(version.number, "champion", reason, before=version.number)
        if version.standing is None:
            raise TerminalError(
                f"{version.ref} was not evaluated.",
                where="MLflow",
                fix=f"Train it again: yupana train {version.name}",
            )
        good, why = registry.judge(mlflow, version.name, version.standing, version.folder)
        if present and gate.was_admitted(settings, model):
            # It is not better than itself: only its pass is renewed.
            good, why = True, "it is the champion, and passed the gate anew"
        if not good and not reason:
            raise TerminalError(
                f"{version.ref} is not better: {why}.",
                where="MLflow",
                fix="If it must serve all the same, say why: --reason TEXT. That is recorded.",
            )
        motive = f"promoted by {by}: {reason}" if reason else why
        gate.admit(settings, version.name, model, "promote", now)
        number = str(version.number)
        mlflow.set_model_version_tag(version.name, number, "promoted_by", by)
        mlflow.set_model_version_tag(version.name, number, "promoted_because", motive)
        mlflow.set_registered_model_alias(version.name, "champion", number)
        if before.get("challenger") == version.number:
            mlflow.delete_registered_model_alias(version.name, "challenger")
        if before.get("champion", version.number) != version.number:
            mlflow.set_registered_model_alias(version.name, "challenger", str(before["champion"]))
    return Promotion(version.number, "champion", motive, before.get("champion"))


def check_whole(version: Version) -> None:
    """Refuse a version that was deleted or whose files are not those that the fit wrote.

    Raises:
        UsageError: it was deleted.
        TerminalError: a file is missing or was changed.
    """
    if version.deleted:
        raise UsageError(
            f"{version.ref} was deleted on {version.deleted}.",
            where="MLflow",
            fix=f"yupana models restore {version.name}@{version.number}",
        )
    if not version.folder.is_dir():
        raise TerminalError(
            f"The files of {version.ref} are not there.",
            where=str(version.folder),
            fix=f"Train it again: yupana train {version.name}",
        )
    hashes = facts.read(version.folder).get("files", {})
    if off := facts.differences(hashes, facts.files(version.folder) if hashes else {}):
        raise TerminalError(
            f"The files of {version.ref} are not those that its fit wrote.",
            where=f"{version.folder}: {', '.join(off)}",
            fix=f"Train it again: yupana train {version.name}",
        )


def delete(settings: Settings, version: Version, today: date) -> str:
    """Hide a version; it can be restored for `keep_days`. Returns the last day for that.

    Versions whose time is over are removed for good, files and all. MLflow has no archive of its
    own for this: its stages are deprecated, and what it deletes of a registry is gone at once.

    Raises:
        TerminalError: it is the champion.
    """
    if "champion" in version.aliases:
        raise TerminalError(
            f"{version.ref} is the champion: it serves, and is not deleted.",
            where="MLflow",
            fix=f"Promote another first: yupana models promote {version.name}@…",
        )
    with registry.reached(settings, "deleting"):
        mlflow = registry.client(settings)
        _purge(settings, mlflow, today)
        number = str(version.number)
        day = version.deleted or today.isoformat()
        mlflow.set_model_version_tag(version.name, number, runs.DELETED, day)
        for alias in version.aliases:
            mlflow.delete_registered_model_alias(version.name, alias)
    return _last_day(settings, day).isoformat()


def restore(settings: Settings, version: Version, today: date) -> None:
    """Undo a deletion.

    Raises:
        UsageError: it is not deleted, or its time is over.
    """
    if not version.deleted:
        raise UsageError(
            f"{version.ref} is not deleted.", where="MLflow", fix="See: yupana models list"
        )
    if (last := _last_day(settings, version.deleted)) < today:
        raise UsageError(
            f"{version.ref} was deleted on {version.deleted} and could be restored until {last}.",
            where="MLflow",
            fix=f"Train it again: yupana train {version.name}",
        )
    with registry.reached(settings, "restoring"):
        mlflow = registry.client(settings)
        mlflow.delete_model_version_tag(version.name, str(version.number), runs.DELETED)


def _last_day(settings: Settings, deleted: str) -> date:
    return date.fromisoformat(deleted) + timedelta(days=settings.keep_days)


def _purge(settings: Settings, mlflow: MlflowClient, today: date) -> None:
    """Remove for good what was deleted so long ago that nobody may restore it."""
    for model in mlflow.search_registered_models():
        for entry in mlflow.search_model_versions(f"name = '{model.name}'"):
            deleted = entry.tags.get(runs.DELETED)
            if deleted and _last_day(settings, deleted) < today:
                mlflow.delete_model_version(model.name, entry.version)
                mlflow.delete_run(str(entry.run_id))
                # Last: a removal that broke off is taken up by none, and leaves only files.
                shutil.rmtree(runs.folder(entry), ignore_errors=True)
