"""Caveats and reasons not to answer, in the words of a use case, Spanish and English."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from yupana.serving.notes import Note, note
from yupana.tasks.forecast.frequency import Frequency
from yupana.tasks.forecast.places import PERIODS, Noun, Places
from yupana.tasks.forecast.usecases import ForecastUseCase

STALE_PERIODS = 2
"""Periods without data from which an answer says so."""

NO_CHANNEL = note(
    "no_channel",
    "Historia demasiado corta para el canal endémico: sin nivel de alerta.",
    "History too short for the endemic channel: no alert level.",
)
RECORDED = note(
    "recorded",
    "Pronóstico guardado, hecho con lo que se sabía en ese día.",
    "Recorded forecast, made from what was known on that day.",
)


@dataclass(frozen=True)
class Notes:
    """What answers of a use case say beside their numbers."""

    use_case: str
    places: Places
    frequency: Frequency
    horizons: int

    @classmethod
    def of(cls, definition: ForecastUseCase) -> Notes:
        """Those of a use case."""
        places, horizons = definition.places, len(definition.horizons)
        return cls(definition.spec.name, places, definition.frequency, horizons)

    @property
    def period(self) -> Noun:
        """What a period is called."""
        return PERIODS[self.frequency.name]

    @property
    def pooled(self) -> Note:
        """The entity was not in training."""
        noun = self.places.noun
        return note(
            "pooled",
            f"{noun.es.capitalize()} sin historia en el entrenamiento: pronóstico conjunto de "
            f"tod{noun.o}s {noun.the_many}.",
            f"{noun.en.capitalize()} without history in training: pooled forecast of all "
            f"{noun.en_many}.",
        )

    @property
    def incomplete(self) -> Note:
        """The newest periods are reported in part."""
        period, o = self.period, self.period.o
        return note(
            "incomplete_reports",
            f"L{o}s últim{o}s {period.es_many} aún no están complet{o}s: el modelo lo tiene en "
            "cuenta, con más incertidumbre.",
            f"The newest {period.en_many} are not complete yet: the model takes it into account, "
            "less surely.",
        )

    @property
    def unknown(self) -> Note:
        """The entity has no recent data."""
        noun, code = self.places.noun, self.places.code
        return note(
            f"unknown_{noun.en}",
            f"Sin datos recientes de {noun.this}. Use el {code.es} de {noun.a} bajo vigilancia.",
            f"No recent data of this {noun.en}. Use the {code.en} of a {noun.en} under "
            "surveillance.",
        )

    @property
    def not_recorded(self) -> Note:
        """No forecast of a past day is in the lake."""
        command = f"yupana predict {self.use_case} --as-of"
        return note(
            "not_recorded",
            "No hay un pronóstico guardado de ese día. Pida uno más reciente, o que la plataforma "
            f"lo haga: {command} DÍA.",
            "No forecast of that day is recorded. Ask for a later day, or have the platform make "
            f"it: {command} DAY.",
        )

    def silent(self, data_as_of: date, periods: int) -> Note:
        """The entity stopped reporting all at once after a day, see `dataset.silence`."""
        noun, unknown = self.places.noun, self.period.count(periods)
        return note(
            "silent",
            f"{noun.this.capitalize()} dejó de notificar de golpe, y eso no es cero casos: "
            f"{unknown.es} después del {data_as_of} no se conocen. El pronóstico parte de ese día, "
            "con más incertidumbre.",
            f"This {noun.en} stopped reporting all at once, which is not zero cases: {unknown.en} "
            f"after {data_as_of} are not known. The forecast starts from that day, less surely.",
        )

    def stale(self, data_as_of: date, periods: int) -> Note:
        """The data end some periods before the day that is asked for."""
        return note(
            "stale_data",
            f"Los datos terminan el {data_as_of}, {periods} {self.period.es_many} antes del día "
            "pedido.",
            f"The data end on {data_as_of}, {periods} {self.period.en_many} before the day that "
            "was asked for.",
        )

    def too_stale(self, data_as_of: date, periods: int) -> Note:
        """All periods of the forecast are over on the day that is asked for."""
        es, en = self.period.es_many, self.period.en_many
        return note(
            "stale_data",
            f"Los datos terminan el {data_as_of}, {periods} {es} antes del día pedido: todo lo que "
            f"se puede pronosticar ya pasó. Publique datos más recientes, o pida un día hasta "
            f'{self.horizons} {es} después de los datos: "as_of": "{data_as_of}".',
            f"The data end on {data_as_of}, {periods} {en} before the day that was asked for: all "
            f"that can be forecast is over. Publish newer data, or ask for a day up to "
            f'{self.horizons} {en} after the data: "as_of": "{data_as_of}".',
        )
