"""Rows of the forecast tables: districts with their alert, provinces and departments as sums."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from yupana.core import usecase
from yupana.core.errors import TerminalError
from yupana.core.forecast import LEVELS, QUANTILES, Forecaster, Totals
from yupana.core.hashing import value_sha256

if TYPE_CHECKING:
    import pandas as pd

AREAS = {"department": 2, "province": 4}
"""Levels of area, and how many digits of a ubigeo name one."""

LEAD = 4
"""Weeks ahead that the map and the counts by level are of: a month in which to act."""


def districts(
    forecaster: Forecaster, rows: pd.DataFrame, counts: pd.DataFrame, model: str, origin: date
) -> pd.DataFrame:
    """A row a district and week ahead: what is expected, and how it stands to past years.

    Args:
        rows: features, one row a district, all of the origin.
        counts: cases a week as known, by the day that ends the week (index) and ubigeo (columns).
        origin: day that ends the newest known week.

    Returns:
        `prediction_id`, `model`, `ubigeo`, `origin`, `horizon` (weeks ahead), `LEVELS` (cases a
        week), `pooled` (the district was not in training), `channel_low`, `channel_middle`,
        `channel_high` (cases a week: quartiles of past years), `alert` (a zone of
        `models.channel`) and `exceedance` (probability of more than `channel_high`). The last
        five are empty where the history is too short.

    Raises:
        TerminalError: there is no district.
    """
    import pandas as pd

    if rows.empty:
        raise TerminalError(
            "There is no district to forecast.",
            where="features",
            fix="Publish the line list first.",
        )
    made = []
    told = forecaster.quantiles(rows, QUANTILES)
    for ubigeo, quantiles in zip(rows["ubigeo"].astype(str), told, strict=True):
        frame = _frame("ubigeo", ubigeo, quantiles, forecaster.horizons, model, origin)
        frame["pooled"] = not forecaster.knows(ubigeo)
        weeks = [origin + timedelta(weeks=int(h)) for h in forecaster.horizons]
        zones = [_zone(counts[ubigeo], week, q) for week, q in zip(weeks, quantiles, strict=True)]
        made.append(frame.join(pd.DataFrame(zones)))
    table = pd.concat(made, ignore_index=True)
    # Typed: a column that is empty throughout would have no type in Delta.
    return table.astype({"alert": "string"})


def _zone(counts: pd.Series[float], week: date, quantiles: Any) -> dict[str, Any]:
    """One week's channel, alert and probability of exceeding it."""
    zones = usecase.load("models", "channel")
    found = zones.channel(counts, week)
    nothing = float("nan")
    return {
        "channel_low": found.low if found else nothing,
        "channel_middle": found.middle if found else nothing,
        "channel_high": found.high if found else nothing,
        "alert": zones.alert(quantiles, QUANTILES, found) if found else None,
        "exceedance": (
            float(zones.exceeding(quantiles[None], QUANTILES, found.high)[0]) if found else nothing
        ),
    }


def areas(
    forecaster: Totals, rows: pd.DataFrame, horizons: Sequence[int], model: str, origin: date
) -> pd.DataFrame:
    """A row a province or department and week ahead, from joint samples of its districts.

    Returns:
        `prediction_id`, `model`, `area` (4 or 2 digits), `level` (province or department),
        `origin`, `horizon`, `LEVELS` (cases a week) and `districts` (how many are summed).
    """
    import pandas as pd

    made = []
    for level, digits in AREAS.items():
        for area, part in rows.groupby(rows["ubigeo"].astype(str).str[:digits], sort=True):
            told = forecaster.totals(part.reset_index(drop=True), QUANTILES)
            frame = _frame("area", str(area), told, horizons, model, origin)
            frame.insert(3, "level", level)
            frame["districts"] = len(part)
            made.append(frame)
    return pd.concat(made, ignore_index=True)


def zone_numbers(districts: pd.DataFrame, key: str = "ubigeo") -> dict[Any, int]:
    """The alert of the week `LEAD` by district, or of all weeks of one district by horizon.

    0 success to 3 epidemic; places and weeks without an alert are left out.
    """
    zones = usecase.load("models", "channel").ZONES
    chosen = districts if key == "horizon" else districts[districts["horizon"] == LEAD]
    told = chosen[chosen["alert"].notna()]
    return {k: zones.index(a) for k, a in zip(told[key], told["alert"], strict=True)}


def alerts(districts: pd.DataFrame) -> dict[str, int]:
    """How many districts are in each zone in the week `LEAD`, highest first, and in none."""
    zones = usecase.load("models", "channel").ZONES
    told = list(zone_numbers(districts).values())
    found = {zones[n]: told.count(n) for n in reversed(range(len(zones)))}
    return {**found, "without_channel": districts["ubigeo"].nunique() - len(told)}


def _frame(
    key: str, place: str, quantiles: Any, horizons: Sequence[int], model: str, origin: date
) -> pd.DataFrame:
    """A place's rows; one identifier for its weeks, the same whenever it is forecast again."""
    import pandas as pd

    frame = pd.DataFrame(quantiles, columns=list(LEVELS))
    frame.insert(0, "horizon", [int(h) for h in horizons])
    frame.insert(0, "origin", origin)
    frame.insert(0, key, place)
    frame.insert(0, "model", model)
    identity = value_sha256([model, place, origin.isoformat()])[:32]
    frame.insert(0, "prediction_id", identity)
    return frame
