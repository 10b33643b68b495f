"""Rows of the forecast tables: districts with their alert, provinces and departments as sums."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from yupana.core.errors import TerminalError
from yupana.core.hashing import value_sha256
from yupana.data.national import areas as national
from yupana.tasks.forecast import endemic_channel
from yupana.tasks.forecast.dataset.newest import Newest, ahead
from yupana.tasks.forecast.frequency import WEEK
from yupana.tasks.forecast.quantiles import LEVELS, QUANTILES, Forecaster, Totals

if TYPE_CHECKING:
    import pandas as pd

LEAD = WEEK.lead
"""Weeks ahead that the map and the counts by level are of, where counts are weekly."""


def districts(
    forecaster: Forecaster, newest: Newest, counts: pd.DataFrame, model: str, origin: date
) -> pd.DataFrame:
    """A row a district and period ahead: what is expected, and how it stands to past years.

    Args:
        newest: the features of each district's newest known period.
        counts: cases as known, by the day that ends the period (index) and entity (columns).
        origin: day that ends the newest known period.

    Returns:
        `prediction_id`, `model`, `entity`, `origin`, `horizon` (periods ahead), `LEVELS`
        (cases), `pooled` (the district was not in training), `channel_low`, `channel_middle`,
        `channel_high` (cases: quartiles of past years), `alert` (a zone of
        `yupana.tasks.forecast.endemic_channel`) and `exceedance` (probability of more than
        `channel_high`). The last five are empty where the history is too short. A district whose
        newest periods are not known has no rows of its last horizons.

    Raises:
        TerminalError: there is no district.
    """
    import pandas as pd

    rows, frequency = newest.rows, newest.frequency
    if rows.empty:
        raise TerminalError(
            "There is no district to forecast.",
            where="features",
            fix="Publish the cases first.",
        )
    frames = []
    by_entity = ahead(forecaster.quantiles(rows, QUANTILES), newest.behind)
    for entity, every in zip(rows["entity"].astype(str), by_entity, strict=True):
        frame, quantiles = _frame("entity", entity, every, forecaster.horizons, model, origin)
        frame["pooled"] = not forecaster.knows(entity)
        ends = [frequency.ahead(origin, int(h)) for h in frame["horizon"]]
        zones = [
            _zone(endemic_channel.channel(counts[entity], end, frequency), q)
            for end, q in zip(ends, quantiles, strict=True)
        ]
        frames.append(frame.join(pd.DataFrame(zones)))
    table = pd.concat(frames, ignore_index=True)
    # Typed: a column that is empty throughout would have no type in Delta.
    return table.astype({"alert": "string"})


def _zone(channel: endemic_channel.Channel | None, quantiles: Any) -> dict[str, Any]:
    """One period's channel, alert and probability of exceeding it."""
    zones = endemic_channel
    nothing = float("nan")
    return {
        "channel_low": channel.low if channel else nothing,
        "channel_middle": channel.middle if channel else nothing,
        "channel_high": channel.high if channel else nothing,
        "alert": zones.alert(quantiles, QUANTILES, channel) if channel else None,
        "exceedance": (
            float(zones.exceeding(quantiles[None], QUANTILES, channel.high)[0])
            if channel
            else nothing
        ),
    }


def areas(
    forecaster: Totals, newest: Newest, horizons: Sequence[int], model: str, origin: date,
    levels: Sequence[str],
) -> pd.DataFrame:  # fmt: skip
    """A row an area and period ahead, from joint samples of its entities.

    An area of which some entities' newest periods are not known is forecast from the newest that
    is known of all.

    Args:
        newest: as of `districts`.
        levels: of areas, some of `national.areas.DIGITS`.

    Returns:
        `prediction_id`, `model`, `area` (its code), `level`,
        `origin`, `horizon`, `LEVELS` (cases) and `districts` (how many are summed).
    """
    import pandas as pd

    frames, rows = [], newest.rows
    for level in levels:
        of = [national.area(str(entity), level) for entity in rows["entity"]]
        for area, entities in rows["entity"].groupby(of, sort=True):
            part, behind = newest.together(list(entities))
            every = ahead(forecaster.totals(part, QUANTILES)[None], [behind])[0]
            frame, _ = _frame("area", str(area), every, horizons, model, origin)
            frame.insert(3, "level", level)
            frame["districts"] = len(part)
            frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def zone_numbers(
    districts: pd.DataFrame, key: str = "entity", lead: int = LEAD
) -> dict[Any, int]:
    """The alert of the period `lead` by district, or of all of one district by horizon.

    0 success to 3 epidemic; places and periods without an alert are left out.
    """
    zones = endemic_channel.ZONES
    periods = districts if key == "horizon" else districts[districts["horizon"] == lead]
    alerts = periods[periods["alert"].notna()]
    return {k: zones.index(a) for k, a in zip(alerts[key], alerts["alert"], strict=True)}


def alerts(districts: pd.DataFrame, lead: int) -> dict[str, int]:
    """How many districts are in each zone in the period `lead`, highest first, and in none."""
    zones = endemic_channel.ZONES
    numbers = list(zone_numbers(districts, lead=lead).values())
    counts = {zones[n]: numbers.count(n) for n in reversed(range(len(zones)))}
    return {**counts, "without_channel": districts["entity"].nunique() - len(numbers)}


def _frame(
    key: str, place: str, every: Any, horizons: Sequence[int], model: str, origin: date
) -> tuple[pd.DataFrame, Any]:
    """A place's rows, of the horizons that were forecast, and their quantiles; one identifier for
    its periods, the same whenever it is forecast again."""
    import numpy as np
    import pandas as pd

    there = [int(h) for h in np.flatnonzero(~np.isnan(every).any(axis=1))]
    quantiles = every[there]
    frame = pd.DataFrame(quantiles, columns=list(LEVELS))
    frame.insert(0, "horizon", [int(horizons[h]) for h in there])
    frame.insert(0, "origin", origin)
    frame.insert(0, key, place)
    frame.insert(0, "model", model)
    identity = value_sha256([model, place, origin.isoformat()])[:32]
    frame.insert(0, "prediction_id", identity)
    return frame, quantiles
