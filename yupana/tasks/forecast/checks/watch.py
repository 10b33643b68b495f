"""All checks of one week."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from yupana.monitoring.check import Check
from yupana.tasks.forecast.checks import judge, norms, record, text, window
from yupana.tasks.forecast.usecases import ForecastUseCase

if TYPE_CHECKING:
    import polars as pl


def watch(
    features: pl.DataFrame,
    forecasts: pl.DataFrame | None,
    truth: pl.DataFrame | None,
    week: date,
    *,
    definition: ForecastUseCase,
) -> list[Check]:
    """Check one week against the weeks before it, each as it was known then.

    Args:
        features: `entity`, `week` (Saturday that ends it) and the features, each week's rows as
            they were known when the week was newest; at best the last 110 weeks.
        forecasts: `entity`, `origin` (Saturday), `horizon` (weeks) and the quantiles
            `quantiles.LEVELS`; None where nothing was forecast.
        truth: `entity`, `week`, `cases` of weeks that are fully reported by now.
        week: the week that is checked, in `features`.
        definition: its invariants and norms (`models/<use case>/norms.json`) are used; without
            them the one check is unknown.

    Returns:
        Every check of the week, alarms first. A finding is one alarm of weight; what else
        alarms for the same reason is told as `info`.

    Raises:
        UsageError: the features hold no row of the week.
    """
    invariants, path = definition.invariants(), norms.path_of(definition.spec.name)
    if not invariants or not path.exists():
        absent = "invariants" if not invariants else f"models/{definition.spec.name}/{path.name}"
        return [_unchecked(week, absent)]
    if absent_columns := [c for c in invariants if c not in features.columns]:
        return [_incomplete(week, absent_columns)]
    weeks = window.of(features, list(invariants), week)
    forecast_record = None if forecasts is None else record.of(forecasts, truth, weeks)
    checks = judge.judge(weeks, invariants, forecast_record, norms.load(path))
    order = {"critical": 0, "warning": 1, "info": 2}
    return sorted(checks, key=lambda c: (c.state != "alarm", order[c.severity]))


def _unchecked(week: date, absent: str) -> Check:
    return Check(
        "norms", "", "", week, None, None, "unknown", "info",
        f"No se revisó la semana: falta {absent}.",
        f"The week was not checked: {absent} is missing.", text.UNKNOWN,
    )  # fmt: skip


def _incomplete(week: date, columns: list[str]) -> Check:
    names = ", ".join(columns)
    return Check(
        "missing", "", "", week, float(len(columns)), 0.0, "alarm", "critical",
        f"Faltan columnas: {names}. No se revisó lo demás.",
        f"Columns are missing: {names}. Nothing else was checked.",
        text.runbook("broken"), "broken",
    )  # fmt: skip
