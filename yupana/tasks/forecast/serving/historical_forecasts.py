"""Forecasts as `yupana predict` recorded them: past days, and the channels of their periods."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import numpy as np

from yupana.config.settings import Settings
from yupana.data.lake import delta, reading
from yupana.gate.gate import Versions
from yupana.lineage import contents
from yupana.predictions.entry import Basis, LogEntry
from yupana.serving.notes import TRIAL, Note
from yupana.serving.suspension_response import of_suspension
from yupana.tasks.forecast import payload
from yupana.tasks.forecast.endemic_channel import Channel
from yupana.tasks.forecast.quantiles import LEVELS
from yupana.tasks.forecast.serving import notes
from yupana.tasks.forecast.serving.forecast_cache import Forecast, forecast, period
from yupana.tasks.forecast.serving.notes import Notes
from yupana.tasks.forecast.usecases import ForecastUseCase

Rows = list[dict[str, Any]]

_QUARTILES = ("channel_low", "channel_middle", "channel_high")


def channel_of(row: dict[str, Any]) -> Channel | None:
    """The channel in a row of the table; none where the history was too short."""
    limits = [row[name] for name in _QUARTILES]
    is_whole = all(limit is not None and not math.isnan(limit) for limit in limits)
    return Channel(*limits) if is_whole else None


def _counts(row: dict[str, Any]) -> np.ndarray[Any, Any]:
    return np.array([row[level] for level in LEVELS])


def read(
    settings: Settings, ref: str, condition: Any, columns: list[str] | None
) -> Rows:
    """Rows of the newest version of a table that meet a condition (pyarrow's; None: all of them).

    Raises:
        ContentError: it is not as its step left it; see `contents.demand`.
    """
    from deltalake import DeltaTable

    contents.demand(settings, ref, newest=True)
    zone, name, version = delta.parts(ref)
    path = settings.table(zone, name)
    table = reading.dataset(DeltaTable(str(path), version=version))
    rows: Rows = table.to_table(filter=condition, columns=columns).to_pylist()
    return rows


class HistoricalForecasts:
    """The table forecasts/<use case>; `version` is the one that was looked at last."""

    action = "alerts"
    """What shows them: see `yupana.serving.kind.RecordedAnswers`."""

    def __init__(self, settings: Settings, definition: ForecastUseCase) -> None:
        self.name, self.key = definition.spec.name, definition.spec.entity.key
        self._settings, self._notes = settings, Notes.of(definition)
        self._reach = definition.frequency.reach(definition.options.horizons)
        self.version = -1
        self._last: dict[tuple[int, date, str], int] = {}

    def look(self) -> int:
        """The newest version; -1 before the first forecast."""
        path = self._settings.table("forecasts", self.name)
        if delta.exists(path):
            self.version = delta.version_of(path)
        return self.version

    @property
    def ref(self) -> str:
        """Reference of the version that was looked at."""
        return f"delta:forecasts/{self.name}@{self.version}"

    def channels(self, origin: date) -> dict[tuple[str, int], Channel]:
        """Channel by entity and periods ahead, for forecasts that start from this origin."""
        import pyarrow.compute as pc

        rows = self._rows(pc.field("origin") == origin, [self.key, "horizon", *_QUARTILES])
        channels = {(row[self.key], row["horizon"]): channel_of(row) for row in rows}
        return {key: limits for key, limits in channels.items() if limits}

    def of(
        self, entities: list[str], day: date, versions: Versions
    ) -> dict[str, Forecast | Note]:
        """Forecasts that were made by a day, of the entities that have one, in today's shape.

        What a model answered that is suspended now is not answered again: a note says so.
        """
        rows = self.newest_rows(entities, day)
        return {entity: self._forecast(rows_, versions) for entity, rows_ in rows.items()}

    def newest_rows(self, entities: list[str], day: date) -> dict[str, Rows]:
        """What was forecast on a day or shortly before it: by entity, a row a period ahead.

        Of an entity the newest origin; of several models the newest version.
        """
        import pyarrow.compute as pc

        origin = pc.field("origin")
        lately = (origin <= day) & (origin > day - self._reach)
        by_origin: dict[str, dict[tuple[date, int], Rows]] = {}
        for row in self._rows(lately & pc.field(self.key).isin(entities), None):
            newest = (row["origin"], int(row["model"].split("@")[1]))
            by_origin.setdefault(row[self.key], {}).setdefault(newest, []).append(row)
        return {
            entity: sorted(rows[max(rows)], key=lambda row: row["horizon"])
            for entity, rows in by_origin.items()
        }

    def entry(self, prediction_id: str) -> LogEntry | None:
        """A forecast of the table by its id; its features are not in the table.

        Raises:
            ContentError: the table is not as its run left it.
        """
        import pyarrow.compute as pc

        self.look()
        # The slim columns first: the quantiles of one forecast alone are read.
        same = pc.field("prediction_id") == prediction_id
        slim = self._rows(same, [self.key, "origin", "model"])
        if not slim:
            return None
        for name, value in slim[0].items():
            same &= pc.field(name) == value
        rows = sorted(self._rows(same, None), key=lambda row: row["horizon"])
        one = self._of_rows(rows, []).prediction
        return LogEntry(
            prediction_id, None, "forecast", one.basis, one.entity,
            parameters=payload.parameters(len(rows), rows[0]["origin"]), payload=one.payload,
            payload_version=one.payload_version, caveats=one.caveats,
        )  # fmt: skip

    def _forecast(self, rows: Rows, versions: Versions) -> Forecast | Note:
        version = rows[0]["model"].split("@")[1]
        if suspension := versions.suspension_of(version):
            return of_suspension(suspension).note()
        return self._of_rows(rows, [] if version in versions.approved else [TRIAL])

    def _of_rows(self, rows: Rows, caveats: list[Note]) -> Forecast:
        """The forecast of an entity from its rows, by periods ahead."""
        first, frequency = rows[0], self._notes.frequency
        origin, version = first["origin"], first["model"].split("@")[1]
        steps = [
            period(frequency, origin, row["horizon"], _counts(row), channel_of(row)) for row in rows
        ]
        caveats += [notes.RECORDED, *([self._notes.pooled] if first["pooled"] else [])]
        # The newest periods were not known, and the forecast ends so much before others.
        if behind := self._longest(origin, first["model"]) - rows[-1]["horizon"]:
            caveats.append(self._notes.silent(frequency.ahead(origin, -behind), behind))
        if any(step["alert"] is None for step in steps):
            caveats.append(notes.NO_CHANNEL)
        basis = Basis(self.name, version, "", self.ref, str(origin))
        return forecast(frequency, basis, first[self.key], {}, steps, caveats)

    def _longest(self, origin: date, model: str) -> int:
        """The last horizon of any entity of a run."""
        import pyarrow.compute as pc

        key = self.version, origin, model
        if key not in self._last:
            same = (pc.field("origin") == origin) & (pc.field("model") == model)
            self._last = {key: max(row["horizon"] for row in self._rows(same, ["horizon"]))}
        return self._last[key]

    def _rows(self, condition: Any, columns: list[str] | None) -> Rows:
        return read(self._settings, self.ref, condition, columns) if self.version >= 0 else []
