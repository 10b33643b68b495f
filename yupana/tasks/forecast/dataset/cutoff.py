"""What of a training set was known at a moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from yupana.tasks.forecast import frequency

if TYPE_CHECKING:
    import pandas as pd


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
