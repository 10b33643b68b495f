"""Recorded forecasts of past days, in the shape of today's."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from serving import notes
from serving.book import Forecast, Maker, forecast, week
from serving.halt import of_suspension
from serving.notes import Note
from serving.recorded import Recorded, channel_of
from yupana.core.forecast import LEVELS
from yupana.governance.gate import Versions


def recorded_forecasts(
    recorded: Recorded, use_case: str, ubigeos: list[str], day: date, versions: Versions
) -> dict[str, Forecast | Note]:
    """Forecasts that were made by a day, of the districts that have one.

    What a model told that is suspended now is not told again: a note says so.
    """
    found = recorded.then(ubigeos, day)
    return {u: _told(recorded.ref, use_case, rows, versions) for u, rows in found.items()}


def _told(
    ref: str, use_case: str, rows: list[dict[str, Any]], versions: Versions
) -> Forecast | Note:
    version = rows[0]["model"].split("@")[1]
    if held := versions.held(version):
        return of_suspension(held).note()
    always = [] if version in versions.approved else [notes.TRIAL]
    return _forecast(ref, use_case, rows, always)


def _forecast(ref: str, use_case: str, rows: list[dict[str, Any]], always: list[Note]) -> Forecast:
    first = rows[0]
    origin, version = first["origin"], first["model"].split("@")[1]
    weeks = [
        week(origin, row["horizon"], np.array([row[q] for q in LEVELS]), channel_of(row))
        for row in rows
    ]
    caveats = [*always, notes.RECORDED, *([notes.POOLED] if first["pooled"] else [])]
    if any(made["alert"] is None for made in weeks):
        caveats.append(notes.NO_CHANNEL)
    maker = Maker(use_case, version, "", ref)
    return forecast(maker, first["ubigeo"], origin, {}, weeks, caveats)
