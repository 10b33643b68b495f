"""Which registered model could have been used on a past day."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.tracking import registry


def by(settings: Settings, use_case: str, day: date) -> tuple[int, Path]:
    """The newest version that had seen no count of a week after a day, and its folder.

    A later model has seen the weeks that it would be asked to forecast.

    Raises:
        UsageError: no version is that old; names the oldest and how to train one.
    """
    mlflow = registry.client(settings)
    found = []
    for version in mlflow.search_model_versions(f"name = '{use_case}'"):
        params = mlflow.get_run(str(version.run_id)).data.params
        if through := params.get("knows_through"):
            day_known = date.fromisoformat(through)
            found.append((day_known, int(version.version), str(version.source)))
    usable = [f for f in found if f[0] <= day]
    if not usable:
        oldest = f"the oldest knows {min(found)[0]}" if found else "there is none"
        raise UsageError(
            f"No model of '{use_case}' was trained on what precedes {day} alone ({oldest}).",
            where="the model registry",
            fix=f"Train one: yupana train {use_case} --as-of {day}",
        )
    _, number, source = max(usable, key=lambda f: f[:2])
    return number, Path(source.removeprefix("file://"))
