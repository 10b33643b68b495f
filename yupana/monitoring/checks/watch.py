"""All checks of one week."""

from __future__ import annotations

import importlib
import importlib.util
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from yupana.monitoring.checks import judge, norms, record, window, words
from yupana.monitoring.checks.check import Check
from yupana.monitoring.checks.traits import Traits

if TYPE_CHECKING:
    import polars as pl


def watch(
    features: pl.DataFrame,
    forecasts: pl.DataFrame | None,
    truth: pl.DataFrame | None,
    week: date,
    *,
    use_case: str = "outbreak",
) -> list[Check]:
    """Check one week against the weeks before it, each as it was known then.

    Args:
        features: `ubigeo`, `week` (Saturday that ends it) and the features, each week's rows as
            they were known when the week was newest; at best the last 110 weeks.
        forecasts: `ubigeo`, `origin` (Saturday), `horizon` (weeks) and the quantiles
            `core.forecast.LEVELS`; None where nothing was forecast.
        truth: `ubigeo`, `week`, `cases` of weeks that are fully reported by now.
        week: the week that is checked, in `features`.
        use_case: its traits (`feature_repo/<use case>_traits.py`) and norms
            (`models/<use case>.norms.json`) are used; without them the one check is unknown.

    Returns:
        Every check of the week, alarms first. A finding is one alarm of weight; what else
        alarms for the same reason is told as `info`.

    Raises:
        UsageError: the features hold no row of the week.
    """
    traits, path = traits_of(use_case), norms_path(use_case)
    if traits is None or not path.exists():
        absent = f"feature_repo/{use_case}_traits.py" if traits is None else f"models/{path.name}"
        return [_untold(week, absent)]
    if lost := [c for c in traits if c not in features.columns]:
        return [_lost(week, lost)]
    seen = window.of(features, list(traits), week)
    told = None if forecasts is None else record.of(forecasts, truth, seen)
    found = judge.judge(seen, traits, told, norms.load(path))
    order = {"critical": 0, "warning": 1, "info": 2}
    return sorted(found, key=lambda c: (c.state != "alarm", order[c.severity]))


def traits_of(use_case: str) -> Traits | None:
    """What a use case declares of its features; None where it declares nothing."""
    name = f"feature_repo.{use_case}_traits"
    if not use_case.isidentifier() or importlib.util.find_spec(name) is None:
        return None
    declared: Traits = importlib.import_module(name).TRAITS
    return declared


def norms_path(use_case: str) -> Path:
    """Where a use case's norms lie, beside its model's code, which is not loaded for it."""
    room = importlib.util.find_spec("models")
    assert room is not None and room.origin is not None
    return Path(room.origin).with_name(f"{use_case}.norms.json")


def _untold(week: date, absent: str) -> Check:
    return Check(
        "norms", "", "", week, None, None, "unknown", "info",
        f"No se revisó la semana: falta {absent}.",
        f"The week was not checked: {absent} is missing.", words.UNKNOWN,
    )  # fmt: skip


def _lost(week: date, columns: list[str]) -> Check:
    named = ", ".join(columns)
    return Check(
        "missing", "", "", week, float(len(columns)), 0.0, "alarm", "critical",
        f"Faltan columnas: {named}. No se revisó lo demás.",
        f"Columns are missing: {named}. Nothing else was checked.",
        words.runbook("broken"), "broken",
    )  # fmt: skip
