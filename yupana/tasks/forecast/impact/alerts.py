"""What an alert is, and when it was missed or false: defined here alone.

A period of a place is one of alert if it lies in the zones alerta or epidemia of its endemic
channel (`yupana.tasks.forecast.endemic_channel`, after Bortman 1999): above the median of the
same periods of past years.
The forecast told one if its median, made the frequency's `lead` before, lay there; it came if the
count did.
Missed: it came and was not told. False: it was told and did not come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from yupana.tasks.forecast import endemic_channel
from yupana.tasks.forecast.frequency import Frequency
from yupana.tasks.forecast.quantiles import LEVELS, QUANTILES

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, np.dtype[np.float64]]

ZONES = ("alerta", "epidemia")
KINDS = ("missed", "hits", "false_alarms", "quiet")
"""Each period with a channel is one of these; the first two are those of alert."""


def kind(quantiles: Array, observed: float, limits: Any) -> str:
    """Which of `KINDS` a period was; empty without a channel or a count.

    Args:
        quantiles: the forecast of the period at `QUANTILES`, in cases.
        observed: its count, NaN where not known.
        limits: a `yupana.tasks.forecast.endemic_channel.Channel`, or None where the history is
        too short.
    """
    import numpy as np

    if limits is None or np.isnan(observed):
        return ""
    zones = endemic_channel
    warned = zones.alert(quantiles, QUANTILES, limits) in ZONES
    came = zones.alert(np.array([observed]), (0.5,), limits) in ZONES
    return KINDS[(0 if came else 2) + (warned if came else not warned)]


def of_test(
    frame: pd.DataFrame, test: pd.DataFrame, quantiles: Array, frequency: Frequency
) -> list[str]:
    """`kind` of each test row, as far ahead as alerts look.

    Args:
        frame: the split; its periods before are the past years of the channel.
        test: the test rows, in the order of `quantiles`, shape (rows, horizons, levels).
    """
    import pandas as pd

    lead = frequency.lead
    counts = frame.assign(day=days_of(frame)).pivot(
        index="day", columns="entity", values="cases_lag_0"
    )
    channel = endemic_channel.channel
    ends = [frequency.ahead(day.date(), lead) for day in days_of(test)]
    columns = (test["entity"], ends, test[f"target_{lead}"], quantiles[:, lead - 1])
    return [
        kind(warned, came, channel(counts[entity], end, frequency) if pd.notna(came) else None)
        for entity, end, came, warned in zip(*columns, strict=True)
    ]


def of_recorded(lead: pd.DataFrame, observed: pd.Series[float]) -> list[str]:
    """`kind` of recorded forecasts, by the channel that was recorded with them.

    Args:
        lead: their rows of the horizon that alerts are of, with `LEVELS` and the channel's
            quartiles.
        observed: the counts that came, NaN where not known.
    """
    import numpy as np

    make = endemic_channel.Channel
    limits = lead[["channel_low", "channel_middle", "channel_high"]].to_numpy(dtype=float)
    quantiles = lead[list(LEVELS)].to_numpy(dtype=float)
    return [
        kind(q, came, None if np.isnan(ends).any() else make(*ends))
        for q, came, ends in zip(quantiles, observed, limits, strict=True)
    ]


def days_of(rows: pd.DataFrame) -> pd.Series[Any]:
    """The days of origin, which end their periods, without a time zone."""
    days: pd.Series[Any] = rows["event_timestamp"].dt.tz_localize(None).dt.normalize()
    return days
