"""All checks of one period."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from yupana.monitoring.check import Check
from yupana.tasks.forecast.checks import judge, norms, record, text, window
from yupana.tasks.forecast.frequency import Frequency
from yupana.tasks.forecast.pages.words import WORDS
from yupana.tasks.forecast.usecases import ForecastUseCase

if TYPE_CHECKING:
    import polars as pl


def watch(
    features: pl.DataFrame,
    forecasts: pl.DataFrame | None,
    truth: pl.DataFrame | None,
    end: date,
    *,
    definition: ForecastUseCase,
) -> list[Check]:
    """Check one period against those before it, each as it was known then.

    Args:
        features: `entity`, `end` (day that ends the period) and the features, each period's rows
            as they were known when it was newest; at best the last `invariants.reach` periods.
        forecasts: `entity`, `origin` (day that ends a period), `horizon` (periods) and the
            quantiles `quantiles.LEVELS`; None where nothing was forecast.
        truth: `entity`, `end`, `cases` of periods that are fully reported by now.
        end: of the period that is checked, in `features`.
        definition: its period, invariants and norms (`models/<use case>/norms.json`) are used;
            without them the one check is unknown.

    Returns:
        Every check of the period, alarms first. A finding is one alarm of weight; what else
        alarms for the same reason is told as `info`.

    Raises:
        UsageError: the features hold no row of the period.
    """
    frequency = definition.frequency
    invariants, path = definition.invariants(), norms.path_of(definition.spec.name)
    if not invariants or not path.exists():
        absent = "invariants" if not invariants else f"models/{definition.spec.name}/{path.name}"
        return [_unchecked(frequency, end, absent)]
    if absent_columns := [c for c in invariants if c not in features.columns]:
        return [_incomplete(end, absent_columns)]
    periods = window.of(features, invariants, end, frequency)
    forecast_record = None if forecasts is None else record.of(forecasts, truth, periods)
    checks = judge.judge(periods, invariants, forecast_record, norms.load(path))
    order = {"critical": 0, "warning": 1, "info": 2}
    return sorted(checks, key=lambda c: (c.state != "alarm", order[c.severity]))


def _unchecked(frequency: Frequency, end: date, absent: str) -> Check:
    return Check(
        "norms", "", "", end, None, None, "unknown", "info",
        f"No se revisó {WORDS[frequency.name]['this']}: falta {absent}.",
        f"The {frequency.name} was not checked: {absent} is missing.", text.UNKNOWN,
    )  # fmt: skip


def _incomplete(end: date, columns: list[str]) -> Check:
    names = ", ".join(columns)
    return Check(
        "missing", "", "", end, float(len(columns)), 0.0, "alarm", "critical",
        f"Faltan columnas: {names}. No se revisó lo demás.",
        f"Columns are missing: {names}. Nothing else was checked.",
        text.runbook("broken"), "broken",
    )  # fmt: skip
