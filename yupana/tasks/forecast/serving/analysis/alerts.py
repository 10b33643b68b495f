"""Alert levels of all entities, from the forecasts that `yupana predict` recorded.

What is shown are forecasts, and levels and probabilities made of them: no count that was observed,
so that none has to be hidden (`yupana.core.disclosure`).
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Any

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.data.lake import delta
from yupana.tasks.forecast.endemic_channel import ZONES
from yupana.tasks.forecast.frequency import Frequency
from yupana.tasks.forecast.places import PERIODS
from yupana.tasks.forecast.scoring.exceedance import threshold
from yupana.tasks.forecast.serving import notes
from yupana.tasks.forecast.serving.historical_forecasts import read
from yupana.tasks.forecast.serving.notes import Notes
from yupana.tasks.forecast.usecases import ForecastUseCase

_COLUMNS = (
    "prediction_id", "model", "origin", "horizon", "q0.1", "q0.5", "q0.9", "pooled", "alert",
    "exceedance",
)  # fmt: skip

Row = dict[str, Any]


def alerts(
    settings: Settings, definition: ForecastUseCase, as_of: date, area: str = "",
    miss_cost: float | None = None,
) -> Row:  # fmt: skip
    """The newest forecast that was made from data up to a day, by entity.

    Args:
        as_of: data that end later are not looked at.
        area: its code; empty for all of them.
        miss_cost: what a missed alert costs whoever asks, in false alarms, above 0.

    Returns:
        `use_case`, `as_of`, `data_as_of`, the area (`code` and `name`, or None; where the use
        case has areas), `lead` and the day that ends the period that the level is of, `counts`
        (entities by level, highest first), the entities (highest level first) and `caveats`. Of
        each entity: names, `alert`, `exceedance` (0-1), `median` and `interval_80` (cases) of the
        period `lead`, the same of all periods, `pooled`, `model`, `prediction_id`. With a
        `miss_cost` also that, the `threshold` that follows from it, and of each entity `raised`:
        whether `exceedance` is above it, None without a channel.

    Raises:
        UsageError: no such area, or no forecast that still has a period to come.
        TerminalError: nothing was forecast yet.
        ContentError: the forecasts are not as `yupana predict` left them.
    """
    use_case, places = definition.spec.name, definition.places
    area_facts = {"code": area, "name": places.area_name(area)} if area else None
    path = settings.table("forecasts", use_case)
    ref = f"delta:forecasts/{use_case}@{delta.version_of(path)}"
    origin = _origin(settings, ref, as_of, definition)
    listed = [
        e for e in _entities(settings, ref, origin, definition)
        if not area or places.area_of(e[definition.spec.entity.key]) == area
    ]  # fmt: skip
    frequency = definition.frequency
    passed = frequency.passed(origin, as_of)
    stale = passed >= notes.STALE_PERIODS
    costs: Row = {}
    if miss_cost is not None:
        limit = threshold(miss_cost)
        costs = {"miss_cost": miss_cost, "threshold": round(limit, 4)}
        listed = [{**entity, "raised": _raised(entity["exceedance"], limit)} for entity in listed]
    return {
        "use_case": use_case,
        "as_of": str(as_of),
        "data_as_of": str(origin),
        **({places.area: area_facts} if places.area else {}),
        "lead": frequency.lead,
        frequency.ending: str(frequency.ahead(origin, frequency.lead)),
        **costs,
        "counts": _counts(listed),
        places.listing: listed,
        "caveats": [Notes.of(definition).stale(origin, passed)] if stale else [],
    }


def _raised(chance: float | None, limit: float) -> bool | None:
    return None if chance is None else chance > limit


def _counts(listed: list[Row]) -> dict[str, int]:
    levels = [entity["alert"] for entity in listed]
    by_zone = {zone: levels.count(zone) for zone in reversed(ZONES)}
    return {**by_zone, "without_channel": levels.count(None)}


def _origin(settings: Settings, ref: str, as_of: date, definition: ForecastUseCase) -> date:
    """The newest day up to `as_of` that forecasts start from."""
    origins = _origins(settings, ref)
    before = [origin for origin in origins if origin <= as_of]
    if not before:
        raise UsageError(
            f"Hasta el {as_of} no hay pronósticos. / There are no forecasts up to {as_of}.",
            where="as_of",
            fix=f"Pida un día desde el {origins[0]}. / Ask for {origins[0]} or later.",
        )
    if before[-1] + definition.frequency.reach(definition.options.horizons) <= as_of:
        period = PERIODS[definition.frequency.name]
        raise UsageError(
            f"El último pronóstico hasta el {as_of} es de datos hasta el {before[-1]}: "
            f"tod{period.o}s sus {period.es_many} pasaron. / The last forecast up to {as_of} is "
            f"from data up to {before[-1]}: all its {period.en_many} are over.",
            where="as_of",
            fix=f"Pida / Ask for: {before[-1]}",
        )
    return before[-1]


@lru_cache(maxsize=4)
def _origins(settings: Settings, ref: str) -> tuple[date, ...]:
    return tuple(sorted({row["origin"] for row in read(settings, ref, None, ["origin"])}))


@lru_cache(maxsize=4)
def _entities(
    settings: Settings, ref: str, origin: date, definition: ForecastUseCase
) -> tuple[Row, ...]:
    import pyarrow.compute as pc

    key = definition.spec.entity.key
    rows = read(settings, ref, pc.field("origin") == origin, [key, *_COLUMNS])
    # After a promotion the same day is forecast by two models: the newer one counts.
    newest = max(int(row["model"].rsplit("@")[1]) for row in rows)
    by: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda r: r["horizon"]):
        if int(row["model"].rsplit("@")[1]) == newest:
            by.setdefault(row[key], []).append(row)
    entities = [
        {
            key: entity,
            **definition.places.names(entity),
            **_levels(steps, origin, definition.frequency),
        }
        for entity, steps in sorted(by.items())
    ]
    return tuple(sorted(entities, key=_urgency, reverse=True))


def _levels(rows: list[Row], origin: date, frequency: Frequency) -> Row:
    steps = [_level(row, origin, frequency) for row in rows]
    lead = next((s for s in steps if s["horizon"] == frequency.lead), steps[-1])
    return {
        **{k: v for k, v in lead.items() if k != "horizon"},
        "pooled": bool(rows[0]["pooled"]),
        "model": rows[0]["model"].removeprefix("model:"),
        "data_as_of": str(origin),
        "prediction_id": rows[0]["prediction_id"],
        frequency.listing: steps,
    }


def _level(row: Row, origin: date, frequency: Frequency) -> Row:
    chance = row["exceedance"]
    return {
        "horizon": row["horizon"],
        frequency.ending: str(frequency.ahead(origin, row["horizon"])),
        "alert": row["alert"],
        # A NaN is not equal to itself: a history too short for a channel.
        "exceedance": round(chance, 4) if chance is not None and chance == chance else None,
        "median": row["q0.5"],
        "interval_80": [row["q0.1"], row["q0.9"]],
    }


def _urgency(entity: Row) -> tuple[int, float]:
    zone = entity["alert"]
    return (-1 if zone is None else ZONES.index(zone), entity["exceedance"] or 0.0)
