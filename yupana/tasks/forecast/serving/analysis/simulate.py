"""What the model would tell, had recent cases or the weather been others: a simulation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import pandas as pd

from yupana.core.errors import UsageError
from yupana.serving.notes import Note, note
from yupana.serving.training_ranges import TrainingRanges
from yupana.tasks.forecast.endemic_channel import Channel
from yupana.tasks.forecast.entities import ENTITY
from yupana.tasks.forecast.feature_groups import group_of
from yupana.tasks.forecast.frequency import Frequency
from yupana.tasks.forecast.quantiles import QUANTILES
from yupana.tasks.forecast.serving.analysis import what_if
from yupana.tasks.forecast.serving.analysis.sources import Tables
from yupana.tasks.forecast.serving.analysis.what_if import MOST_FACTOR, Change
from yupana.tasks.forecast.serving.forecast_cache import period
from yupana.tasks.forecast.serving.notes import Notes
from yupana.tasks.forecast.usecases import ForecastUseCase

MOST_CASES, MOST_PERIODS, MOST_DEGREES = 100_000, 12, 10.0
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
class Simulation(NamedTuple):
    """The answer, and the changed features that it rests on, for the log."""

    answer: dict[str, Any]
    features: dict[str, float]
    origin: date


def change_of(recent_cases: Any, climate: Any) -> Change:
    """What the question wants otherwise.

    Args:
        recent_cases: None, a factor (0-10) of the cases of the newest periods (as many as
            alerts look ahead), or the cases of the newest 1 to 12 periods, the oldest first.
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
        if not (within and 1 <= len(cases) <= MOST_PERIODS):
            raise _bounds("recent_cases", f"1-{MOST_PERIODS} × 0…{MOST_CASES}")
        return Change(cases=cases, temperature=warmer, precipitation=wetter)
    factor = 1.0 if recent_cases is None else float(recent_cases)
    if not 0 <= factor <= MOST_FACTOR or math.isnan(factor):
        raise _bounds("recent_cases", f"0…{MOST_FACTOR:g}")
    return Change(factor=factor, temperature=warmer, precipitation=wetter)


@dataclass(frozen=True)
class Simulator:
    """Simulates with one model.

    Attributes:
        forecaster: with `description.features`, the names that it reads.
        tables: what the online features were computed from, see `sources.tables`.
        channels: endemic channel by entity and periods ahead.
        ranges: what the model was trained on.
    """

    definition: ForecastUseCase
    forecaster: Any
    tables: Tables
    channels: Mapping[tuple[str, int], Channel]
    ranges: TrainingRanges

    def run(self, entity: str, change: Change, horizon: int) -> Simulation:
        """Periods as the data are and as they would be, side by side.

        Raises:
            UsageError: the entity is unknown, the model reads no weather that could change, or
                what is asked for lies too far outside the training.
        """
        self._demand_read(change)
        rows = pd.concat(
            [what_if.features(self.definition, self.tables, entity, c) for c in (Change(), change)],
            ignore_index=True,
        )
        if rows["event_timestamp"].nunique() > 1:
            raise UsageError(
                "Con ese cambio los últimos casos caen de golpe a cero, o dejan de hacerlo: eso se "
                "lee como falta de notificación, y no hay un mismo día de partida que comparar. / "
                "By that change the newest cases fall to zero all at once, or no longer do: that "
                "reads as missing reports, and there is no common day to start from.",
                where="recent_cases",
                fix="Pida un cambio que no sea a cero. / Ask for a change that is not to zero.",
            )
        groups, key = self.definition.feature_groups, self.definition.spec.entity.key
        values = {str(k): v for k, v in rows.iloc[1].items()}
        caveats, refusal = self.ranges.check(values, lambda f: group_of(groups, f).words)
        if refusal:
            raise UsageError(
                f"{refusal['es']} / {refusal['en']}",
                where="recent_cases, climate",
                fix="Pida un cambio menor. / Ask for a smaller change.",
            )
        origin, frequency = rows["event_timestamp"].iloc[0].date(), self.definition.frequency
        baseline, simulated = (
            [
                period(frequency, origin, h, counts[h - 1], self.channels.get((entity, h)))
                for h in range(1, horizon + 1)
            ]
            for counts in self.forecaster.quantiles(rows, QUANTILES)
        )
        answer = {
            "simulation": True,
            key: entity,
            "data_as_of": str(origin),
            "change": _words(change, frequency),
            "baseline": baseline,
            "simulated": simulated,
            "caveats": [*self._caveats(entity, change), *caveats],
        }
        features = rows.drop(columns=[ENTITY, "event_timestamp"]).iloc[1].to_dict()
        return Simulation(answer, {str(k): float(v) for k, v in features.items()}, origin)

    def _caveats(self, entity: str, change: Change) -> list[Note]:
        notes = Notes.of(self.definition)
        others = [_others(notes)] if change.cases or change.factor != 1 else []
        pooled = [] if self.forecaster.knows(entity) else [notes.pooled]
        return [SIMULATION, NO_CAUSE, *others, *pooled]

    def _demand_read(self, change: Change) -> None:
        warmer, wetter = change.temperature != 0, change.precipitation != 1
        changes = dict(zip(CLIMATE, (warmer, wetter), strict=True))
        read = set(self.forecaster.description.features)
        same = self.definition.changed(self.tables, change) is self.tables
        absent = [n for n in CLIMATE if changes[n] and (n not in read or same)]
        if absent:
            raise UsageError(
                "Este modelo no lee el clima: se entrenó sin él, y cambiarlo no cambiaría nada. / "
                "This model reads no weather: it was trained without it, and nothing would change.",
                where=f"climate.{absent[0]}",
                fix="Pida un cambio de recent_cases. / Ask for a change of recent_cases.",
            )


def _others(notes: Notes) -> Note:
    noun, wider, o = notes.places.noun, notes.places.wider, notes.places.noun.o
    return note(
        "others_as_they_are",
        f"Cambian los casos de {noun.this}, y con ellos las sumas de {wider.es}; l{o}s demás "
        f"{noun.es_many} quedan como están.",
        f"The cases of this {noun.en} change, and with them the sums of {wider.en}; the other "
        f"{noun.en_many} stay as they are.",
    )


def _words(change: Change, frequency: Frequency) -> dict[str, Any]:
    """What is changed, in the question's terms; never the counts that stood before."""
    weather = {"temperature": change.temperature, "precipitation": change.precipitation}
    if change.cases:
        many = len(change.cases)
        return {"recent_cases": list(change.cases), frequency.listing: many, **weather}
    return {"recent_cases": change.factor, frequency.listing: frequency.lead, **weather}


def _bounds(where: str, bounds: str) -> UsageError:
    return UsageError(
        "El cambio no es válido. / The change is not valid.",
        where=where,
        fix=f"Envíe / Send: {bounds}",
    )
