"""Alert levels of all districts, from the forecasts that `yupana predict` recorded.

What is shown are forecasts, and levels and probabilities made of them: no count that was observed,
so that none has to be hidden (`yupana.core.disclosure`).
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from models.channel import ZONES
from serving import notes
from serving.recorded import REACH, read
from serving.study import places
from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.data import delta
from yupana.evaluation.outlook_rows import LEAD

_COLUMNS = (
    "prediction_id", "model", "ubigeo", "origin", "horizon", "q0.1", "q0.5", "q0.9", "pooled",
    "alert", "exceedance",
)  # fmt: skip

Row = dict[str, Any]


def alerts(settings: Settings, use_case: str, as_of: date, department: str = "") -> Row:
    """The newest forecast that was made from data up to a day, by district.

    Args:
        as_of: data that end later are not looked at.
        department: two digits; empty for the whole country.

    Returns:
        `use_case`, `as_of`, `data_as_of`, `department` (`code` and `name`, or None), `lead` and
        `week_ending` (the week that the level is of), `counts` (districts by level, highest
        first), `districts` (highest level first) and `caveats`. Of each district: names,
        `alert`, `exceedance` (0-1), `median` and `interval_80` (cases) of the week `lead`, the
        same of all `weeks`, `pooled`, `model`, `prediction_id`.

    Raises:
        UsageError: no such department, or no forecast that still has a week to come.
        TerminalError: nothing was forecast yet.
    """
    if department and not places.department(department):
        raise UsageError(
            f"INEI no tiene el departamento {department}. / INEI has no department {department}.",
            where="department",
            fix="Envíe sus dos dígitos, como 16. / Send its two digits, such as 16.",
        )
    path = settings.table("forecasts", use_case)
    version = delta.version_of(path)
    origin = _origin(path, version, as_of)
    found = [d for d in _districts(path, version, origin) if d["ubigeo"].startswith(department)]
    stale = (as_of - origin).days // 7
    return {
        "use_case": use_case,
        "as_of": str(as_of),
        "data_as_of": str(origin),
        "department": (
            {"code": department, "name": places.department(department)} if department else None
        ),
        "lead": LEAD,
        "week_ending": str(origin + timedelta(weeks=LEAD)),
        "counts": _counts(found),
        "districts": found,
        "caveats": [notes.stale(origin, stale)] if stale >= notes.STALE_WEEKS else [],
    }


def _counts(found: list[Row]) -> dict[str, int]:
    told = [d["alert"] for d in found]
    by_zone = {zone: told.count(zone) for zone in reversed(ZONES)}
    return {**by_zone, "without_channel": told.count(None)}


def _origin(path: Path, version: int, as_of: date) -> date:
    """The newest day up to `as_of` that forecasts start from."""
    origins = _origins(path, version)
    before = [origin for origin in origins if origin <= as_of]
    if not before:
        raise UsageError(
            f"Hasta el {as_of} no hay pronósticos. / There are no forecasts up to {as_of}.",
            where="as_of",
            fix=f"Pida un día desde el {origins[0]}. / Ask for {origins[0]} or later.",
        )
    if before[-1] + REACH <= as_of:
        raise UsageError(
            f"El último pronóstico hasta el {as_of} es de datos hasta el {before[-1]}: todas sus "
            f"semanas pasaron. / The last forecast up to {as_of} is from data up to {before[-1]}: "
            "all its weeks are over.",
            where="as_of",
            fix=f"Pida / Ask for: {before[-1]}",
        )
    return before[-1]


@lru_cache(maxsize=4)
def _origins(path: Path, version: int) -> tuple[date, ...]:
    return tuple(sorted({row["origin"] for row in read(path, version, None, ["origin"])}))


@lru_cache(maxsize=4)
def _districts(path: Path, version: int, origin: date) -> tuple[Row, ...]:
    import pyarrow.compute as pc

    rows = read(path, version, pc.field("origin") == origin, list(_COLUMNS))
    # After a promotion the same day is forecast by two models: the newer one counts.
    newest = max(int(row["model"].rsplit("@")[1]) for row in rows)
    by: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda r: r["horizon"]):
        if int(row["model"].rsplit("@")[1]) == newest:
            by.setdefault(row["ubigeo"], []).append(row)
    found = [_district(ubigeo, weeks, origin) for ubigeo, weeks in sorted(by.items())]
    return tuple(sorted(found, key=_urgency, reverse=True))


def _district(ubigeo: str, rows: list[Row], origin: date) -> Row:
    weeks = [_week(row, origin) for row in rows]
    lead = next((w for w in weeks if w["horizon"] == LEAD), weeks[-1])
    return {
        "ubigeo": ubigeo,
        **places.names(ubigeo)._asdict(),
        **{k: v for k, v in lead.items() if k != "horizon"},
        "pooled": bool(rows[0]["pooled"]),
        "model": rows[0]["model"].removeprefix("model:"),
        "data_as_of": str(origin),
        "prediction_id": rows[0]["prediction_id"],
        "weeks": weeks,
    }


def _week(row: Row, origin: date) -> Row:
    chance = row["exceedance"]
    return {
        "horizon": row["horizon"],
        "week_ending": str(origin + timedelta(weeks=row["horizon"])),
        "alert": row["alert"],
        # A NaN is not equal to itself: a history too short for a channel.
        "exceedance": round(chance, 4) if chance is not None and chance == chance else None,
        "median": row["q0.5"],
        "interval_80": [row["q0.1"], row["q0.9"]],
    }


def _urgency(district: Row) -> tuple[int, float]:
    zone = district["alert"]
    return (-1 if zone is None else ZONES.index(zone), district["exceedance"] or 0.0)
