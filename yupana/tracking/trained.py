"""Which registered model could have been used on a past day."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.tracking import registry, runs


def by(settings: Settings, use_case: str, day: date) -> tuple[int, Path]:
    """The newest version that had seen no count of a week after a day, and its folder.

    A later model has seen the weeks that it would be asked to forecast.

    Raises:
        UsageError: no version is that old; names the oldest and how to train one.
        TransientError: the registry cannot be reached.
    """
    found = []
    with registry.reached(settings, "looking for an older model"):
        mlflow = registry.client(settings)
        for version in mlflow.search_model_versions(f"name = '{use_case}'"):
            params = mlflow.get_run(str(version.run_id)).data.params
            through = params.get("knows_through")
            if through and not version.tags.get(runs.DELETED):
                known = date.fromisoformat(through)
                found.append((known, int(version.version), runs.folder(version)))
    usable = [f for f in found if f[0] <= day]
    if not usable:
        oldest = f"the oldest knows {min(found)[0]}" if found else "there is none"
        raise UsageError(
            f"No model of '{use_case}' was trained on what precedes {day} alone ({oldest}).",
            where="the model registry",
            fix=f"Train one: yupana train {use_case} --as-of {day}",
        )
    _, number, folder = max(usable, key=lambda f: f[:2])
    return number, folder
