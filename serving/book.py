"""The forecasts of one model from one version of the features, made once and kept ready.

A forecast changes when the model or the data change, about once a week; until then every answer
of a district is the same but for its identifier. So no request waits for the network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from threading import Lock
from typing import Any

import numpy as np
import orjson
import pandas as pd

from models import channel
from serving import notes
from serving.notes import Note
from yupana.core.forecast import QUANTILES
from yupana.core.hashing import value_sha256
from yupana.evaluation.outlook_rows import LEAD
from yupana.governance.predictions import Told

MOST_UNKNOWN = 20_000
"""Districts without data that are remembered as such: a flood of codes must not fill memory."""

MOST_BODIES = 8
"""Answers of a district that are kept as text: most ask for one horizon, as of today."""

_LOW, _MIDDLE, _HIGH = (QUANTILES.index(level) for level in (0.10, 0.50, 0.90))


@dataclass(frozen=True)
class Forecast:
    """One district's forecast, as the log keeps it and as answers tell it."""

    told: Told
    data_as_of: date
    card: str
    bodies: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def body(self, horizon: int, stale_weeks: int) -> bytes:
        """The answer's JSON object from after its identifier to its end."""
        key = (horizon, stale_weeks)
        if key not in self.bodies:
            if len(self.bodies) >= MOST_BODIES:
                self.bodies.clear()
            self.bodies[key] = self._body(horizon, stale_weeks)
        return self.bodies[key]

    def _body(self, horizon: int, stale_weeks: int) -> bytes:
        caveats = list(self.told.caveats)
        if stale_weeks >= notes.STALE_WEEKS:
            caveats.append(notes.stale(self.data_as_of, stale_weeks))
        weeks = self.told.answer[:horizon]
        rest = {
            "ubigeo": self.told.ubigeo,
            "model": f"{self.told.use_case}@{self.told.model_version}",
            "data_as_of": self.told.data_as_of,
            "alert": weeks[min(LEAD, len(weeks)) - 1]["alert"],
            "weeks": weeks,
            "caveats": caveats,
            "model_card": self.card,
            "notice": notice_of(self.told.use_case),
        }
        return orjson.dumps(rest)[1:]


@dataclass(frozen=True)
class Maker:
    """Who made a forecast, and from what; `deployment` is the tag in the model store."""

    use_case: str
    version: str
    deployment: str
    features_ref: str


@dataclass(frozen=True)
class Source:
    """What a book's forecasts are made of.

    Attributes:
        features: reads the newest features of districts, a row each (see `online_features`).
        channels: the endemic channel by district and weeks ahead, for an origin.
        beyond: caveats of a row, and why it is not answered, if so.
        always: caveats of every forecast.
    """

    maker: Maker
    forecaster: Any
    features: Callable[[list[str]], pd.DataFrame]
    channels: Callable[[date], dict[tuple[str, int], channel.Channel]]
    beyond: Callable[[Mapping[str, Any]], tuple[list[Note], Note | None]]
    always: tuple[Note, ...] = ()


class Book:
    """Forecasts by district; those that are asked for first are made then."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._made: dict[str, Forecast | Note] = {}
        self._channels: dict[date, dict[tuple[str, int], channel.Channel]] = {}
        self._lock = Lock()

    def ready(self, ubigeos: Iterable[str]) -> bool:
        """Whether all of them are made, so that `of` costs nothing."""
        return all(ubigeo in self._made for ubigeo in ubigeos)

    def districts(self) -> list[str]:
        """Those that have a forecast."""
        return [u for u, made in self._made.items() if isinstance(made, Forecast)]

    def newest(self) -> date | None:
        """The newest day with data of any district."""
        days = [f.data_as_of for f in self._made.values() if isinstance(f, Forecast)]
        return max(days, default=None)

    def of(self, ubigeos: Sequence[str]) -> list[Forecast | Note]:
        """Forecast of each district, or why there is none."""
        if not self.ready(ubigeos):
            with self._lock:
                asked = [u for u in dict.fromkeys(ubigeos) if u not in self._made]
                fresh = self._make(asked) if asked else {}
                unknown = len(self._made) - len(self.districts())
                if unknown + len(fresh) <= MOST_UNKNOWN:
                    self._made |= fresh
                else:
                    self._made |= {u: f for u, f in fresh.items() if isinstance(f, Forecast)}
            return [self._made.get(u) or fresh[u] for u in ubigeos]
        return [self._made[u] for u in ubigeos]

    def _make(self, ubigeos: list[str]) -> dict[str, Forecast | Note]:
        rows = self.source.features(ubigeos)
        made: dict[str, Forecast | Note] = dict.fromkeys(ubigeos, notes.UNKNOWN)
        rows = rows[rows["event_timestamp"].notna()].reset_index(drop=True)
        if rows.empty:
            return made
        counts = self.source.forecaster.quantiles(rows, QUANTILES)
        # Records: a pandas row each would cost more than all else for a country of districts.
        for row, quantiles in zip(rows.to_dict("records"), counts, strict=True):
            made[row["ubigeo"]] = self._forecast(row, quantiles)
        return made

    def _forecast(self, row: dict[str, Any], quantiles: np.ndarray[Any, Any]) -> Forecast | Note:
        source, ubigeo = self.source, str(row["ubigeo"])
        origin = row["event_timestamp"].date()
        caveats, refused = source.beyond(row)
        if refused:
            return refused
        caveats = [*source.always, *caveats]
        if origin not in self._channels:
            self._channels[origin] = source.channels(origin)
        limits = [self._channels[origin].get((ubigeo, h)) for h in range(1, len(quantiles) + 1)]
        told = zip(quantiles, limits, strict=True)
        weeks = [week(origin, h, q, limit) for h, (q, limit) in enumerate(told, 1)]
        if not source.forecaster.knows(ubigeo):
            caveats.append(notes.POOLED)
        if row.get("completeness", 1.0) < 1.0:
            caveats.append(notes.INCOMPLETE)
        if None in limits:
            caveats.append(notes.NO_CHANNEL)
        features = {k: v for k, v in row.items() if k not in ("ubigeo", "event_timestamp")}
        return forecast(source.maker, ubigeo, origin, features, weeks, caveats)


def notice_of(use_case: str) -> str:
    """Address of the transparency notice."""
    return f"/v1/models/{use_case}/notice"


def week(
    origin: date, horizon: int, quantiles: np.ndarray[Any, Any], limit: channel.Channel | None
) -> dict[str, Any]:
    """One week as answers tell it; quantiles of shape (levels,), in cases."""
    told = [float(q) for q in quantiles]
    above = channel.exceeding(quantiles[None], QUANTILES, limit.high)[0] if limit else None
    return {
        "horizon": horizon,
        "week_ending": str(origin + timedelta(weeks=horizon)),
        "median": told[_MIDDLE],
        "interval_80": [told[_LOW], told[_HIGH]],
        "quantiles": {str(level): q for level, q in zip(QUANTILES, told, strict=True)},
        "alert": channel.alert(quantiles, QUANTILES, limit) if limit else None,
        "exceedance": None if above is None else round(float(above), 4),
    }


def forecast(
    maker: Maker, ubigeo: str, origin: date, features: dict[str, float],
    weeks: list[dict[str, Any]], caveats: list[Note],
) -> Forecast:  # fmt: skip
    """A forecast that names itself by its content."""
    content = {
        "use_case": maker.use_case,
        "model_version": maker.version,
        "deployment": maker.deployment,
        "features_ref": maker.features_ref,
        "ubigeo": ubigeo,
        "data_as_of": str(origin),
        "features": features,
        "answer": weeks,
        "caveats": caveats,
    }
    told = Told(key=value_sha256(content)[:32], **content)
    return Forecast(told, origin, f"/v1/models/{maker.use_case}/{maker.version}/card")
