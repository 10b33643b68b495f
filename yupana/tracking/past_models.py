"""Which registered model answers for a past day.

The one that was champion when the day ended. Of days before there was a champion: the newest that
had seen no count of a period after the day, and that was not refused; whoever trained it for such a
day (`yupana train --as-of`) was not judged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
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
    if champion := champion_on(settings, use_case, day):
        return at(settings, champion)
    models = []
    with registry.reached(settings, "looking for an older model"):
        mlflow = registry.client(settings)
        for version in mlflow.search_model_versions(f"name = '{use_case}'"):
            params = mlflow.get_run(str(version.run_id)).data.params
            through = params.get(runs.KNOWS)
            if through and not version.tags.get(runs.DELETED) and not _refused(version.tags):
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
        UsageError: it was deleted or is not registered.
        TransientError: the registry cannot be reached.
    """
    name, _, number = model.removeprefix("model:").partition("@")
    with registry.reached(settings, "looking for an older model"):
        versions = registry.client(settings).search_model_versions(f"name = '{name}'")
    for version in versions:
        if str(version.version) == number and not version.tags.get(runs.DELETED):
            return int(number), runs.folder(version)
    raise UsageError(
        f"{model} was deleted.",
        where="the model registry",
        fix=f"A forecast rests on it: yupana models restore {name}@{number}",
    )


def logged(settings: Settings, use_case: str, day: date) -> str:
    """The reference that `by` gives, from the event log and the candidates' folders alone.

    For a step's key, which must be cheap: the registry takes seconds to open. One that was
    deleted is still told; empty where no model is that old.
    """
    if champion := champion_on(settings, use_case, day):
        return champion
    references = []
    for event in events.done(settings.events, "register", use_case):
        facts = event["facts"]
        if facts.get("alias") == "challenger" and not facts.get("as_of"):
            continue
        name = event["inputs"][0].removeprefix("candidate:") if event["inputs"] else ""
        fitted = settings.home / "candidates" / name / "fit.json"
        if name and fitted.exists():
            through = json.loads(fitted.read_text())["params"].get(runs.KNOWS, "")
            if through and date.fromisoformat(through) <= day:
                version = int(event["outputs"][0].rpartition("@")[2])
                references.append((through, version, event["outputs"][0]))
    return max(references)[2] if references else ""


def champion_on(settings: Settings, use_case: str, day: date) -> str:
    """The reference of the model that was champion when a day (UTC) ended; empty where none was."""
    last = day.isoformat()
    crowned = (
        (event["time"], event["outputs"][0])
        for step in ("register", "promote")
        for event in events.done(settings.events, step, use_case)
        if event["facts"].get("alias") == "champion" and event["time"][:10] <= last
    )
    return max(crowned, default=("", ""))[1]


def _refused(tags: Mapping[str, str]) -> bool:
    """Whether a version was compared with the champion and stayed challenger."""
    compared = not tags.get("as_of") and not tags.get("promoted_by")
    return compared and tags.get(runs.VERDICT) == "challenger"
