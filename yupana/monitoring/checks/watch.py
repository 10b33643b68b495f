"""All checks of one week."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from yupana.monitoring.checks.check import Check

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
            (`models/<use case>.norms.json`) are used.

    Returns:
        Every check of the week, alarms first.
    """
    return []
