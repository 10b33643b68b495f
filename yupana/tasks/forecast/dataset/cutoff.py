"""What of a training set was known at a moment, and at the start of each past year: the ground that
a pool is learned on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from yupana.tasks.forecast import frequency

if TYPE_CHECKING:
    import pandas as pd

YEARS = 3
"""Past years that are forecast; of a year's weeks every second is enough."""


def known_at(frame: pd.DataFrame, time: pd.Timestamp, horizons: Sequence[int]) -> pd.DataFrame:
    """The rows that a model fitted at `time` may learn from; later targets become NaN.

    Args:
        frame: features with `event_timestamp` (UTC) and `target_<h>`, counts h periods on.
    """
    period = frequency.of(frame.columns)
    rows = frame[frame["event_timestamp"] < time].copy()
    for horizon in horizons:
        later = rows["event_timestamp"] + period.offset(horizon) > time
        rows.loc[later, f"target_{horizon}"] = float("nan")
    return rows


def past_years(
    frame: pd.DataFrame, last: pd.Timestamp, horizons: Sequence[int], fewest: int
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Training rows and origins of each past year, the newest first.

    Args:
        frame: all rows, with `event_timestamp` and targets.
        last: the last origin; targets reach past it by the longest horizon.
        fewest: a year with fewer training rows is not forecast.
    """
    period = frequency.of(frame.columns)
    times = sorted(t for t in frame["event_timestamp"].unique() if t <= last)
    for year in range(YEARS):
        block = times[len(times) - period.year * (year + 1) :][: period.year : period.thinning]
        if period.year * (year + 1) > len(times):
            return
        rows = known_at(frame, block[0], horizons)
        if len(rows) < fewest:
            return
        yield rows, frame[frame["event_timestamp"].isin(block)]
