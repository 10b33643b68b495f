"""What the members would have forecast in past years: the ground that a pool is learned on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from yupana.features import splits

YEARS, ORIGINS_A_YEAR, STEP = 3, 52, 2
"""Past years that are forecast; of their origins every second is enough."""


def years(
    frame: pd.DataFrame, last: pd.Timestamp, horizons: Sequence[int], fewest: int
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Training rows and origins of each past year, the newest first.

    Args:
        frame: all rows, with `event_timestamp` and targets.
        last: the last origin; targets reach past it by the longest horizon.
        fewest: a year with fewer training rows is not forecast.
    """
    times = sorted(t for t in frame["event_timestamp"].unique() if t <= last)
    for year in range(YEARS):
        block = times[len(times) - ORIGINS_A_YEAR * (year + 1) :][:ORIGINS_A_YEAR:STEP]
        if ORIGINS_A_YEAR * (year + 1) > len(times):
            return
        rows = splits.known_at(frame, block[0], horizons)
        if len(rows) < fewest:
            return
        yield rows, frame[frame["event_timestamp"].isin(block)]
