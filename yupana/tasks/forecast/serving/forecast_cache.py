"""The forecasts of one model from one version of the features, made once and kept ready.

A forecast changes when the model or the data change, about once a period; until then every answer
of an entity is the same but for its identifier. So no request waits for the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from threading import Lock
from typing import Any

import numpy as np
import orjson
import pandas as pd

from yupana.predictions.entry import Basis
from yupana.predictions.prediction_log import Prediction, prediction
from yupana.serving.model_listing import card_of, notice_of
from yupana.serving.notes import Note
from yupana.tasks.forecast import endemic_channel, payload
from yupana.tasks.forecast.entities import ENTITY
from yupana.tasks.forecast.frequency import Frequency
from yupana.tasks.forecast.quantiles import QUANTILES
from yupana.tasks.forecast.serving import notes
from yupana.tasks.forecast.serving.notes import Notes

MOST_UNKNOWN = 20_000
"""Entities without data that are remembered as such: a flood of codes must not fill memory."""

_LOW, _MIDDLE, _HIGH = (QUANTILES.index(level) for level in (0.10, 0.50, 0.90))

Channels = dict[tuple[str, int], endemic_channel.Channel]
"""The endemic channel by entity and periods ahead."""


@dataclass(frozen=True)
class Forecast:
    """One entity's forecast, as the log keeps it."""

    prediction: Prediction
    _written: dict[int, orjson.Fragment] = field(default_factory=dict, compare=False, repr=False)

    @property
    def entity(self) -> str:
        return self.prediction.entity

    @cached_property
    def data_as_of(self) -> date:
        """The last day with data."""
        return date.fromisoformat(self.prediction.basis.data_as_of)

    def answer(
        self, key: str, frequency: Frequency, horizon: int, caveats: Sequence[Note] = ()
    ) -> dict[str, Any]:
        """What a caller receives, after its identifier.

        Args:
            key: field that names the entity.
            frequency: of the forecast; the alert is of its `lead`, or of the last asked for.
            horizon: periods ahead that were asked for.
            caveats: of the day on which it is asked for.
        """
        basis = self.prediction.basis
        steps = self.prediction.payload[frequency.listing][:horizon]
        # Written once: the same for all who ask, and most of what an answer costs.
        fragment = self._written.get(horizon) or self._written.setdefault(
            horizon, orjson.Fragment(orjson.dumps(steps))
        )
        return {
            key: self.prediction.entity,
            "model": f"{basis.use_case}@{basis.model_version}",
            "data_as_of": basis.data_as_of,
            "alert": steps[min(frequency.lead, len(steps)) - 1]["alert"],
            frequency.listing: fragment,
            "caveats": [*self.prediction.caveats, *caveats],
            "model_card": card_of(basis.use_case, basis.model_version),
            "notice": notice_of(basis.use_case),
        }


@dataclass(frozen=True)
class Source:
    """What forecasts are made of.

    Attributes:
        basis: who makes them, and from which features; its `data_as_of` is each forecast's own.
        forecaster: a fitted model.
        features: reads the newest features of entities, a row each: `ENTITY`, `event_timestamp`
            (UTC; NaT where unknown) and the features.
        channels: the endemic channels of an origin.
        beyond: caveats of a row, and why it is not answered, if so.
        notes: the words of the use case.
        caveats: of every forecast.
    """

    basis: Basis
    forecaster: Any
    features: Callable[[list[str]], pd.DataFrame]
    channels: Callable[[date], Channels]
    beyond: Callable[[Mapping[str, Any]], tuple[list[Note], Note | None]]
    notes: Notes
    caveats: tuple[Note, ...] = ()


class ForecastCache:
    """Forecasts by entity; those that are asked for first are made then."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._ready: dict[str, Forecast | Note] = {}
        self._channels: dict[date, Channels] = {}
        self._lock = Lock()

    def ready(self, entities: Iterable[str]) -> bool:
        """Whether all of them are made, so that `of` costs nothing."""
        return all(entity in self._ready for entity in entities)

    def entities(self) -> list[str]:
        """Those that have a forecast."""
        return [e for e, answer in self._ready.items() if isinstance(answer, Forecast)]

    def newest(self) -> date | None:
        """The newest day with data of any entity."""
        days = [f.data_as_of for f in self._ready.values() if isinstance(f, Forecast)]
        return max(days, default=None)

    def facts(self) -> dict[str, Any]:
        """What the listing of models says of the forecasts."""
        about = self.source.forecaster.description
        return {
            "feature_service": about.feature_service,
            "features": self.source.basis.features_ref,
            "trained_through": about.trained_through,
            self.source.notes.places.listing: len(about.districts),
            "horizons": [int(h) for h in about.horizons],
        }

    def of(self, entities: Sequence[str]) -> list[Forecast | Note]:
        """Forecast of each entity, or why there is none."""
        if self.ready(entities):
            return [self._ready[entity] for entity in entities]
        with self._lock:
            absent = [e for e in dict.fromkeys(entities) if e not in self._ready]
            fresh = self._make(absent) if absent else {}
            unknown = len(self._ready) - len(self.entities())
            if unknown + len(fresh) <= MOST_UNKNOWN:
                self._ready |= fresh
            else:
                self._ready |= {e: f for e, f in fresh.items() if isinstance(f, Forecast)}
        return [self._ready.get(entity) or fresh[entity] for entity in entities]

    def channels(self, origin: date) -> Channels:
        """The endemic channels of an origin, read once."""
        if origin not in self._channels:
            self._channels[origin] = self.source.channels(origin)
        return self._channels[origin]

    def _make(self, entities: list[str]) -> dict[str, Forecast | Note]:
        rows = self.source.features(entities)
        forecasts: dict[str, Forecast | Note] = dict.fromkeys(entities, self.source.notes.unknown)
        rows = rows[rows["event_timestamp"].notna()].reset_index(drop=True)
        if rows.empty:
            return forecasts
        counts = self.source.forecaster.quantiles(rows, QUANTILES)
        newest = max(rows["event_timestamp"].max().date(), self.newest() or date.min)
        # Records: a pandas row each would cost more than all else for a country of entities.
        for row, quantiles in zip(rows.to_dict("records"), counts, strict=True):
            values = {str(k): v for k, v in row.items()}
            forecasts[row[ENTITY]] = self._forecast(values, quantiles, newest)
        return forecasts

    def _forecast(
        self, row: dict[str, Any], quantiles: np.ndarray[Any, Any], newest: date
    ) -> Forecast | Note:
        source, entity = self.source, str(row.pop(ENTITY))
        origin = row.pop("event_timestamp").date()
        caveats, refusal = source.beyond(row)
        if refusal:
            return refusal
        caveats = [*source.caveats, *caveats]
        limits = [self.channels(origin).get((entity, h)) for h in range(1, len(quantiles) + 1)]
        pairs = zip(quantiles, limits, strict=True)
        frequency = source.notes.frequency
        steps = [
            period(frequency, origin, h, q, limit) for h, (q, limit) in enumerate(pairs, 1)
        ]
        if not source.forecaster.knows(entity):
            caveats.append(source.notes.pooled)
        if behind := frequency.between(origin, newest):
            caveats.append(source.notes.silent(origin, behind))
        if row.get("completeness", 1.0) < 1.0:
            caveats.append(source.notes.incomplete)
        if None in limits:
            caveats.append(notes.NO_CHANNEL)
        basis = source.basis._replace(data_as_of=str(origin))
        return forecast(frequency, basis, entity, row, steps, caveats)


def period(
    frequency: Frequency, origin: date, horizon: int, quantiles: np.ndarray[Any, Any],
    limit: endemic_channel.Channel | None,
) -> dict[str, Any]:  # fmt: skip
    """A period ahead as it is answered; quantiles of shape (levels,), in cases."""
    counts = [float(q) for q in quantiles]
    above = endemic_channel.exceeding(quantiles[None], QUANTILES, limit.high)[0] if limit else None
    return {
        "horizon": horizon,
        frequency.ending: str(frequency.ahead(origin, horizon)),
        "median": counts[_MIDDLE],
        "interval_80": [counts[_LOW], counts[_HIGH]],
        "quantiles": {str(level): q for level, q in zip(QUANTILES, counts, strict=True)},
        "alert": endemic_channel.alert(quantiles, QUANTILES, limit) if limit else None,
        "exceedance": None if above is None else round(float(above), 4),
    }


def forecast(
    frequency: Frequency, basis: Basis, entity: str, features: dict[str, float],
    steps: list[dict[str, Any]], caveats: list[Note],
) -> Forecast:  # fmt: skip
    """A forecast that is named by its content."""
    content = {frequency.listing: steps}
    return Forecast(
        prediction(
            basis, entity, content, payload_version=payload.VERSION, features=features,
            caveats=caveats,
        )
    )  # fmt: skip
