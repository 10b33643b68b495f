"""Which registered model could have been used on a past day."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.lineage import events
from yupana.tracking import registry, runs


def by(settings: Settings, use_case: str, day: date) -> tuple[int, Path]:
    """The newest version that had seen no count of a week after a day, and its folder.

    A later model has seen the weeks that it would be asked to forecast.

    Raises:
        UsageError: no version is that old; names the oldest and how to train one.
        TransientError: the registry cannot be reached.
    """
    models = []
    with registry.reached(settings, "looking for an older model"):
        mlflow = registry.client(settings)
        for version in mlflow.search_model_versions(f"name = '{use_case}'"):
            params = mlflow.get_run(str(version.run_id)).data.params
            through = params.get(runs.KNOWS)
            if through and not version.tags.get(runs.DELETED):
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


def logged(settings: Settings, use_case: str, day: date) -> str:
    """The reference that `by` gives, from the event log and the candidates' folders alone.

    For a step's key, which must be cheap: the registry takes seconds to open. One that was
    deleted is still told; empty where no model is that old.
    """
    references = []
    for event in events.done(settings.events, "register", use_case):
        name = event["inputs"][0].removeprefix("candidate:") if event["inputs"] else ""
        fitted = settings.home / "candidates" / name / "fit.json"
        if name and fitted.exists():
            through = json.loads(fitted.read_text())["params"].get(runs.KNOWS, "")
            if through and date.fromisoformat(through) <= day:
                version = int(event["outputs"][0].rpartition("@")[2])
                references.append((through, version, event["outputs"][0]))
    return max(references)[2] if references else ""
