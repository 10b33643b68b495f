"""What the model would tell, had recent cases or the weather been others: a simulation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import pandas as pd

from feature_repo.outbreak_context import CLIMATE as WEATHER
from models.channel import Channel
from serving.book import week
from serving.notes import POOLED, Note, note
from serving.ranges import Ranges
from serving.study import what_if
from serving.study.sources import Tables
from serving.study.what_if import MOST_FACTOR, RECENT_WEEKS, Change
from yupana.core.errors import UsageError
from yupana.core.forecast import QUANTILES

MOST_CASES, MOST_WEEKS, MOST_DEGREES = 100_000, 12, 10.0
CLIMATE = ("temperature", "precipitation")

SIMULATION = note(
    "simulation",
    "Es una simulación, no un pronóstico: dice qué respondería el modelo con otros datos.",
    "This is a simulation, no forecast: it tells what the model would answer to other data.",
)
NO_CAUSE = note(
    "no_causal_effect",
    "El modelo aprendió qué ocurre junto, no qué causa qué: la diferencia no es el efecto de una "
    "medida.",
    "The model learned what comes together, not what causes what: the difference is not the "
    "effect of a measure.",
)
OTHERS_AS_THEY_ARE = note(
    "others_as_they_are",
    "Cambian los casos de este distrito, y con ellos las sumas de su provincia y departamento; "
    "los demás distritos quedan como están.",
    "The cases of this district change, and with them the sums of its province and department; "
    "the other districts stay as they are.",
)


class Simulation(NamedTuple):
    """The answer, and the changed features that it rests on, for the log."""

    answer: dict[str, Any]
    features: dict[str, float]
    origin: date


def change_of(recent_cases: Any, climate: Any) -> Change:
    """What the question wants otherwise.

    Args:
        recent_cases: None, a factor (0-10) of the cases of the newest 4 weeks, or the cases of the
            newest 1 to 12 weeks, the oldest first.
        climate: None, or `temperature` (°C added, -10 to 10) and `precipitation` (factor, 0-10).

    Raises:
        UsageError: nothing would change, or a number is out of its bounds.
    """
    change = _change(recent_cases, dict(climate or {}))
    if change == Change():
        raise UsageError(
            "No se pide ningún cambio. / No change is asked for.",
            where="recent_cases, climate",
            fix='Envíe / Send: "recent_cases": 2.0',
        )
    return change


def _change(recent_cases: Any, weather: dict[str, Any]) -> Change:
    if strange := sorted(set(weather) - set(CLIMATE)):
        raise _bounds(f"climate.{strange[0]}", '{"temperature": 1.5, "precipitation": 1.2}')
    warmer, wetter = (float(weather.get(n, d)) for n, d in zip(CLIMATE, (0.0, 1.0), strict=True))
    if not abs(warmer) <= MOST_DEGREES:
        raise _bounds("climate.temperature", f"-{MOST_DEGREES:g}…{MOST_DEGREES:g} °C")
    if not 0 <= wetter <= MOST_FACTOR:
        raise _bounds("climate.precipitation", f"0…{MOST_FACTOR:g}")
    if isinstance(recent_cases, Sequence):
        cases = tuple(float(c) for c in recent_cases)
        within = all(0 <= c <= MOST_CASES for c in cases)
        if not (within and 1 <= len(cases) <= MOST_WEEKS):
            raise _bounds("recent_cases", f"1-{MOST_WEEKS} × 0…{MOST_CASES}")
        return Change(cases=cases, temperature=warmer, precipitation=wetter)
    factor = 1.0 if recent_cases is None else float(recent_cases)
    if not 0 <= factor <= MOST_FACTOR or math.isnan(factor):
        raise _bounds("recent_cases", f"0…{MOST_FACTOR:g}")
    return Change(factor=factor, temperature=warmer, precipitation=wetter)


def simulate(
    forecaster: Any, tables: Tables, ubigeo: str, change: Change, *, horizon: int,
    channels: Mapping[tuple[str, int], Channel], ranges: Ranges,
) -> Simulation:  # fmt: skip
    """Weeks as the data are and as they would be, side by side.

    Args:
        forecaster: with `description.features`, the names that it reads.
        tables: what the online features were computed from, see `serving.study.sources`.
        channels: endemic channel by district and weeks ahead.
        ranges: what the model was trained on.

    Raises:
        UsageError: the district is unknown, the model reads no weather that could change, or what
            is asked for lies too far outside the training.
    """
    _reads(forecaster, tables, change)
    rows = pd.concat(
        [what_if.features(tables, ubigeo, c) for c in (Change(), change)], ignore_index=True
    )
    caveats, refused = ranges.check(rows.iloc[1].to_dict())
    if refused:
        raise UsageError(
            f"{refused['es']} / {refused['en']}",
            where="recent_cases, climate",
            fix="Pida un cambio menor. / Ask for a smaller change.",
        )
    origin = rows["event_timestamp"].iloc[0].date()
    baseline, simulated = (
        [week(origin, h, told[h - 1], channels.get((ubigeo, h))) for h in range(1, horizon + 1)]
        for told in forecaster.quantiles(rows, QUANTILES)
    )
    pooled = [] if forecaster.knows(ubigeo) else [POOLED]
    answer = {
        "simulation": True,
        "ubigeo": ubigeo,
        "data_as_of": str(origin),
        "change": _said(change),
        "baseline": baseline,
        "simulated": simulated,
        "caveats": [SIMULATION, NO_CAUSE, *_neighbours(change), *pooled, *caveats],
    }
    features = rows.drop(columns=["ubigeo", "event_timestamp"]).iloc[1].to_dict()
    return Simulation(answer, {str(k): float(v) for k, v in features.items()}, origin)


def _reads(forecaster: Any, tables: Tables, change: Change) -> None:
    asked = {"temperature": change.temperature != 0, "precipitation": change.precipitation != 1}
    read = set(forecaster.description.features)
    absent = [n for n in CLIMATE if asked[n] and (n not in read or WEATHER not in tables)]
    if absent:
        raise UsageError(
            "Este modelo no lee el clima: se entrenó sin él, y cambiarlo no cambiaría nada. / "
            "This model reads no weather: it was trained without it, and nothing would change.",
            where=f"climate.{absent[0]}",
            fix="Pida un cambio de recent_cases. / Ask for a change of recent_cases.",
        )


def _said(change: Change) -> dict[str, Any]:
    """What is changed, in the question's terms; never the counts that stood before."""
    weather = {"temperature": change.temperature, "precipitation": change.precipitation}
    if change.cases:
        return {"recent_cases": list(change.cases), "weeks": len(change.cases), **weather}
    return {"recent_cases": change.factor, "weeks": RECENT_WEEKS, **weather}


def _neighbours(change: Change) -> list[Note]:
    return [OTHERS_AS_THEY_ARE] if change.cases or change.factor != 1 else []


def _bounds(where: str, bounds: str) -> UsageError:
    return UsageError(
        "El cambio no es válido. / The change is not valid.",
        where=where,
        fix=f"Envíe / Send: {bounds}",
    )
