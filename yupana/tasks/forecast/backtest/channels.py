"""The endemic channel beside each forecast of a backtest, from counts up to its origin alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from yupana.tasks.forecast import endemic_channel
from yupana.tasks.forecast.backtest.panel import Panel

if TYPE_CHECKING:
    import pandas as pd

HIGH, RATE = "channel_high", "channel_rate"
"""Columns: the upper quartile (cases), and how often the counts behind it exceed it (share).

The rate is the channel's own forecast: it is below a quarter where past counts are tied."""


def beside(rows: pd.DataFrame, panels: Mapping[str, Panel]) -> pd.DataFrame:
    """The rows of `vintages.forecasts` with `HIGH` and `RATE`, NaN where the history is too short.

    Args:
        panels: by series.
    """
    import pandas as pd

    tables = [_of_series(part, panels[str(name)]) for name, part in rows.groupby("series")]
    keys = ["series", "entity", "origin", "horizon"]
    return rows.merge(pd.concat(tables), how="left", on=keys, validate="many_to_one")


def _of_series(rows: pd.DataFrame, panel: Panel) -> pd.DataFrame:
    import pandas as pd

    counts, frequency = panel.counts(), panel.frequency
    days = np.array([frequency.end(start) for start in counts.index], "datetime64[D]")
    cases, tables = counts.to_numpy(dtype=float), []
    for origin, horizon in rows[["origin", "horizon"]].drop_duplicates().itertuples(index=False):
        end = frequency.ahead(origin, int(horizon))
        # A year before a period far ahead may lie after the origin.
        near = endemic_channel.same_periods(days, end, frequency) & (days <= np.datetime64(origin))
        past = cases[near]
        high = rate = np.full(cases.shape[1], np.nan)
        if len(past) >= endemic_channel.FEWEST:
            high = np.quantile(past, 0.75, axis=0)
            rate = (past > high).mean(axis=0)
        columns = {"entity": counts.columns, HIGH: high, RATE: rate}
        tables.append(pd.DataFrame(columns).assign(origin=origin, horizon=horizon))
    return pd.concat(tables, ignore_index=True).assign(series=rows["series"].iloc[0])
