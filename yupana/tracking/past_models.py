"""Which registered model answers for a past day.

The one that was champion when the day ended. Of days before there was a champion: the newest that
had seen no count of a period after the day, and that was not refused; whoever trained it for such a
day (`yupana train --as-of`) was not judged.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.lineage import events
from yupana.tracking import registry, runs


def by(settings: Settings, use_case: str, day: date) -> tuple[int, Path]:
    """The version that answers for a day, and its folder.

    Raises:
        UsageError: no version is that old; names the oldest and how to train one.
        TransientError: the registry cannot be reached.
    """
    models, champion = [], champion_on(settings, use_case, day)
    refused = _refused(settings, use_case)
    with registry.reached(settings, "looking for an older model"):
        mlflow = registry.client(settings)
        for version in mlflow.search_model_versions(f"name = '{use_case}'"):
            ref = f"model:{use_case}@{version.version}"
            if version.tags.get(runs.DELETED) or ref in refused:
                continue
            if ref == champion:
                return int(version.version), runs.folder(version)
            through = mlflow.get_run(str(version.run_id)).data.params.get(runs.KNOWS)
            if through:
                last = date.fromisoformat(through)
                models.append((last, int(version.version), runs.folder(version)))
    usable = [f for f in models if f[0] <= day]
    if not usable:
        oldest = f"the oldest knows {min(models)[0]}" if models else "there is none"
        raise UsageError(
            f"No model of '{use_case}' was trained on what precedes {day} alone ({oldest}).",
            where="the model registry",
            fix=f"Train one: yupana train {use_case} --as-of {day}",
        )
    _, number, folder = max(usable, key=lambda f: f[:2])
    return number, folder


def at(settings: Settings, model: str) -> tuple[int, Path]:
    """Number and folder of a version by its reference.

    Raises:
        UsageError: it was deleted, or is not registered here.
        TransientError: the registry cannot be reached.
    """
    name, _, number = model.removeprefix("model:").partition("@")
    with registry.reached(settings, "looking for an older model"):
        versions = registry.client(settings).search_model_versions(f"name = '{name}'")
    version = next((v for v in versions if str(v.version) == number), None)
    if version is not None and not version.tags.get(runs.DELETED):
        return int(number), runs.folder(version)
    was_deleted = version is not None
    raise UsageError(
        f"The day's forecast rests on {model}, which "
        f"{'was deleted' if was_deleted else 'is not registered here any more'}.",
        where="the model registry",
        fix=f"yupana models restore {name}@{number}" if was_deleted
        else "Put the registry back from its backup; what was forecast stays readable.",
    )  # fmt: skip


def logged(settings: Settings, use_case: str, day: date) -> str:
    """The reference that `by` gives, from the event log and the candidates' folders alone.

    For a step's key, which must be cheap: the registry takes seconds to open. One that was
    deleted is still told; empty where no model is that old.
    """
    if champion := champion_on(settings, use_case, day):
        return champion
    references, refused = [], _refused(settings, use_case)
    for event in events.done(settings.events, "register", use_case):
        name = event["inputs"][0].removeprefix("candidate:") if event["inputs"] else ""
        fitted = settings.home / "candidates" / name / "fit.json"
        if name and event["outputs"][0] not in refused and fitted.exists():
            through = json.loads(fitted.read_text())["params"].get(runs.KNOWS, "")
            if through and date.fromisoformat(through) <= day:
                version = int(event["outputs"][0].rpartition("@")[2])
                references.append((through, version, event["outputs"][0]))
    return max(references)[2] if references else ""


def champion_on(settings: Settings, use_case: str, day: date) -> str:
    """The reference of the model that was champion when a day ended; empty where none was."""
    promotions = (
        (event["time"], event["outputs"][0])
        for step in ("register", "promote")
        for event in events.done(settings.events, step, use_case)
        if event["facts"].get("alias") == "champion" and _day(event["time"]) <= day
    )
    return max(promotions, default=("", ""))[1]


def _day(time: str) -> date:
    """The day here, as `--as-of` counts days, of a time of the log."""
    return datetime.fromisoformat(time).astimezone().date()


def _refused(settings: Settings, use_case: str) -> set[str]:
    """References of those that were compared with the champion and stayed challengers."""
    compared = {
        event["outputs"][0]
        for event in events.done(settings.events, "register", use_case)
        if event["facts"].get("alias") == "challenger" and event["facts"].get("as_of") == ""
    }
    promotions = events.done(settings.events, "promote", use_case)
    return compared - {event["outputs"][0] for event in promotions}
