"""What an alert is, and when it was missed or false: defined here alone.

A week of a district is an alert week if it lies in the zones alerta or epidemia of its endemic
channel (`models.channel`, after Bortman 1999): above the median of the same weeks of past years.
The forecast told one if its median, made `LEAD` weeks before, lay there; it came if the count did.
Missed: it came and was not told. False: it was told and did not come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from yupana.core import usecase
from yupana.core.forecast import LEVELS, QUANTILES
from yupana.evaluation.outlook_rows import LEAD

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, np.dtype[np.float64]]

__all__ = ["KINDS", "LEAD", "ZONES", "days_of", "kind", "of_recorded", "of_test"]

ZONES = ("alerta", "epidemia")
KINDS = ("missed", "hits", "false_alarms", "quiet")
"""Each week with a channel is one of these; the first two are the alert weeks."""


def kind(quantiles: Array, observed: float, limits: Any) -> str:
    """Which of `KINDS` a week was; empty without a channel or a count.

    Args:
        quantiles: the forecast of the week at `QUANTILES`, in cases.
        observed: its count, NaN where not known.
        limits: a `models.channel.Channel`, or None where the history is too short.
    """
    import numpy as np

    if limits is None or np.isnan(observed):
        return ""
    zones = usecase.load("models", "channel")
    told = zones.alert(quantiles, QUANTILES, limits) in ZONES
    came = zones.alert(np.array([observed]), (0.5,), limits) in ZONES
    return KINDS[(0 if came else 2) + (told if came else not told)]


def of_test(frame: pd.DataFrame, test: pd.DataFrame, quantiles: Array) -> list[str]:
    """`kind` of each test row, `LEAD` weeks ahead.

    Args:
        frame: the split; its weeks before are the past years of the channel.
        test: the test rows, in the order of `quantiles`, shape (rows, horizons, levels).
    """
    import pandas as pd

    room = usecase.load("models", "channel")
    counts = frame.assign(day=days_of(frame)).pivot(
        index="day", columns="ubigeo", values="cases_lag_0"
    )
    weeks = [day.date() for day in days_of(test) + pd.Timedelta(weeks=LEAD)]
    columns = (test["ubigeo"], weeks, test[f"target_{LEAD}"], quantiles[:, LEAD - 1])
    return [
        kind(told, came, room.channel(counts[ubigeo], week) if pd.notna(came) else None)
        for ubigeo, week, came, told in zip(*columns, strict=True)
    ]


def of_recorded(lead: pd.DataFrame, observed: pd.Series[float]) -> list[str]:
    """`kind` of recorded forecasts, by the channel that was recorded with them.

    Args:
        lead: their rows of the horizon `LEAD`, with `LEVELS` and the channel's quartiles.
        observed: the counts that came, NaN where not known.
    """
    import numpy as np

    make = usecase.load("models", "channel").Channel
    limits = lead[["channel_low", "channel_middle", "channel_high"]].to_numpy(dtype=float)
    told = lead[list(LEVELS)].to_numpy(dtype=float)
    return [
        kind(q, came, None if np.isnan(ends).any() else make(*ends))
        for q, came, ends in zip(told, observed, limits, strict=True)
    ]


def days_of(rows: pd.DataFrame) -> pd.Series[Any]:
    """The days of origin, which end their weeks, without a time zone."""
    days: pd.Series[Any] = rows["event_timestamp"].dt.tz_localize(None).dt.normalize()
    return days
