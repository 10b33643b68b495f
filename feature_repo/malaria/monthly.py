"""The monthly table: cases of each parasite and district, totals of both, and the climate."""

from __future__ import annotations

import polars as pl

from yupana.tasks.forecast.dataset.panel_features import Layout
from yupana.tasks.forecast.frequency import MONTH

CLIMATE = ("temperature", "precipitation")
PARASITES = ("vivax_cases", "falciparum_cases")

LAYOUT = Layout(
    MONTH,
    means=(3, 6, 12, 24),
    groups={"province": 4, "department": 2},
    # The reanalysis is known about a month late; mosquitoes and the parasite in them take two.
    measures=dict.fromkeys(CLIMATE, (1, 3)),
)


def counts(table: pl.DataFrame) -> pl.DataFrame:
    """From a row a district and month to one for each parasite, `<ubigeo>-<parasite>`.

    Args:
        table: `ubigeo`, `month_start`, some of `PARASITES`, and the columns of `CLIMATE` or not.
    """
    climate = [c for c in CLIMATE if c in table.columns]
    there = [p for p in PARASITES if p in table.columns]
    rows = table.unpivot(
        there, index=["ubigeo", "month_start", *climate], variable_name="parasite",
        value_name="cases",
    )  # fmt: skip
    series = pl.concat_str("ubigeo", pl.col("parasite").str.strip_suffix("_cases"), separator="-")
    return rows.select(series.alias("series"), "month_start", "cases", *climate)
