"""Why a forecast is what it is: what each group of features adds, and the past years most alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd

from yupana.core.errors import UsageError
from yupana.serving.notes import note
from yupana.tasks.forecast.entities import ENTITY
from yupana.tasks.forecast.feature_groups import Group
from yupana.tasks.forecast.places import PERIODS
from yupana.tasks.forecast.serving.analysis import past_seasons
from yupana.tasks.forecast.serving.analysis.shapley import Parts, parts
from yupana.tasks.forecast.usecases import ForecastUseCase

SEASONS, YEARS = 4, 3
"""The background: a period of each season of so many years, so that every season counts alike."""

FEWEST = 4

NO_CAUSE = note(
    "no_causal_effect",
    "Dice en qué se apoyó el modelo, no por qué enferma la gente.",
    "It tells what the model leaned on, not why people fall ill.",
)

Words = dict[str, str]


class Explainer:
    """Explains forecasts of one model in the words of its use case.

    Args:
        forecaster: the one that gave the forecast, with `description.features`.
    """

    def __init__(self, definition: ForecastUseCase, forecaster: Any) -> None:
        self._definition, self._forecaster = definition, forecaster
        self._key, self._noun = definition.spec.entity.key, definition.places.noun
        self._period = PERIODS[definition.frequency.name]
        self._every = definition.frequency.year // SEASONS

    def usual(self, past: pd.DataFrame, origin: date) -> pd.DataFrame:
        """The periods of an entity that its forecast is compared with, the newest first.

        Args:
            past: features of the entity's periods, with `event_timestamp`.

        Raises:
            UsageError: there is not a year of them before the origin.
        """
        before = past[past["event_timestamp"].dt.date < origin].sort_values("event_timestamp")
        sample = before.iloc[::-1].iloc[self._every - 1 :: self._every].head(SEASONS * YEARS)
        if len(sample) < FEWEST:
            raise UsageError(
                f"La historia {self._noun.of_the} es demasiado corta para una explicación. / The "
                f"{self._noun.en}'s past is too short for an explanation.",
                where="prediction_id",
                fix="Use el pronóstico y sus advertencias. / Use the forecast and its caveats.",
            )
        usual: pd.DataFrame = sample.reset_index(drop=True)
        return usual

    def run(
        self, row: pd.DataFrame, past: pd.DataFrame, cases: pd.DataFrame, *, horizon: int
    ) -> dict[str, Any]:
        """What a forecast leans on, in the period that alerts are of or the last asked before it.

        Args:
            row: the features that it rested on, with `ENTITY` and `event_timestamp`.
            past: the entity's past features, the background is chosen from them.
            cases: cases of its area, see `past_seasons.nearest`.
            horizon: periods ahead that were asked for.

        Returns:
            The entity, `horizon`, the day that ends the period, `median`, `usual` (the mean of
            the background's medians, cases), `groups` (`cases` and `log`: what a group adds,
            summing to the difference from `usual` and `usual_log`; `without`: the forecast with
            the usual in its place), `background`, `seasons`, `sentences` and `caveats`.

        Raises:
            UsageError: the past is too short.
        """
        origin, entity = row["event_timestamp"].iloc[0].date(), str(row[ENTITY].iloc[0])
        frequency = self._definition.frequency
        background, lead = self.usual(past, origin), min(frequency.lead, horizon)
        features = (ENTITY, "event_timestamp", *self._forecaster.description.features)
        groups = self._definition.feature_groups
        shares = parts(self._forecaster, groups, row, background, features, lead)
        seasons = past_seasons.nearest(cases, entity, origin, self._definition)
        by_group = sorted(
            (_group(shares, i, group) for i, group in enumerate(shares.groups)),
            key=lambda g: -abs(g["cases"]),
        )
        sentences = [self._compared(shares), *map(_sentence, by_group)]
        return {
            self._key: entity,
            "horizon": lead,
            frequency.ending: str(frequency.ahead(origin, lead)),
            "median": shares.median,
            "usual": round(shares.usual, 4),
            "usual_log": round(shares.usual_log, 6),
            "groups": by_group,
            "background": self._background(background),
            "seasons": seasons,
            "sentences": [*sentences, *map(self._season, seasons)],
            "caveats": [NO_CAUSE],
        }

    def _background(self, rows: pd.DataFrame) -> dict[str, Any]:
        first, last = (f(rows["event_timestamp"]).date() for f in (min, max))
        period, noun, many = self._period, self._noun, len(rows)
        one = "una" if period.feminine else "uno"
        return {
            self._definition.frequency.listing: many,
            "es": f"Lo habitual: {many} {period.es_many} de {noun.this}, {one} de cada "
            f"{self._every}, del {first} al {last}.",
            "en": f"The usual: {many} {period.en_many} of this {noun.en}, one in {self._every}, "
            f"from {first} to {last}.",
        }

    def _compared(self, shares: Parts) -> Words:
        now, before, period = f"{shares.median:g}", _cases(shares.usual), self._period
        return {
            "es": f"El modelo espera {now} casos; en {period.the_many} habituales, {before} en "
            "promedio.",
            "en": f"The model expects {now} cases; in the usual {period.en_many} it expects "
            f"{before} on average.",
        }

    def _season(self, season: dict[str, Any]) -> Words:
        counts, period = _listed(season["followed"]), self._period
        end = season[self._definition.frequency.ending]
        return {
            "es": f"L{period.o}s {period.es_many} anteriores al {end} se parecen a "
            f"l{period.o}s de ahora; siguieron {counts} casos por {period.es} (… no se muestra).",
            "en": f"The {period.en_many} before {end} were like the newest ones; {counts} cases a "
            f"{period.en} followed (… is not shown).",
        }


def _group(shares: Parts, i: int, group: Group) -> dict[str, Any]:
    return {
        "group": group.code,
        "es": group.es,
        "en": group.en,
        "cases": round(float(shares.cases[i]), 4),
        "log": round(float(shares.logs[i]), 6),
        "without": round(float(shares.without[i]), 4),
        "median": shares.median,
    }


def _sentence(group: dict[str, Any]) -> Words:
    before, now = _cases(group["without"]), f"{group['median']:g}"
    if before == now:
        return {
            "es": f"{group['es']}: el pronóstico no cambia.",
            "en": f"{group['en']}: the forecast does not change.",
        }
    up = group["without"] < group["median"]
    return {
        "es": f"{group['es']}: el pronóstico {'sube' if up else 'baja'} de {before} a {now} casos.",
        "en": f"{group['en']}: the forecast {'rises' if up else 'falls'} from {before} to {now} "
        "cases.",
    }


def _listed(counts: Sequence[int | None]) -> str:
    return ", ".join("…" if c is None else str(c) for c in counts)


def _cases(mean: float) -> str:
    """Whole cases, or tenths where there are few."""
    return f"{mean:.0f}" if mean >= 10 or mean == round(mean) else f"{mean:.1f}"
