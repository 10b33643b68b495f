"""The weekly district table: cases with lags, totals of province and department, and context."""

from __future__ import annotations

import polars as pl

from feature_repo.outbreak import context
from yupana.tasks.forecast.checks.invariants import Constant, Measure
from yupana.tasks.forecast.dataset import panel_features
from yupana.tasks.forecast.entities import ENTITY
from yupana.tasks.forecast.frequency import WEEK
from yupana.tasks.forecast.usecases import REPORTING

REPORTED = "dengue_linelist"
"""The table of cases, whose newest weeks are reported late."""

LAYOUT = panel_features.Layout(
    WEEK,
    means=(8, 26, 52, 104),
    groups={"province": 4, "department": 2},
    others={
        context.COLUMNS[0]: Constant(),
        **{measure: Measure() for measure in context.MEASURES},
    },
)
FEATURES = LAYOUT.features


def weekly_features(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """One row a district and week that has ended, from the published line list.

    Args:
        tables: the line list, population and climate where they are published, and `REPORTING`
            or not.

    Returns:
        Columns `ENTITY` (six digits), `event_timestamp` (UTC) and `FEATURES`: those of
        `panel_features.build`, and persons, °C and mm a week of `context`.

    Raises:
        TerminalError: less than a year and a half of weeks, or a gap in an optional table.
    """
    where = f"published/{REPORTED}"
    rows = panel_features.build(LAYOUT, tables[REPORTED], tables.get(REPORTING), where)
    return context.add(rows, tables).select(ENTITY, "event_timestamp", *FEATURES)
