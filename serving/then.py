"""Recorded forecasts of past days, in the shape of today's."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from serving import notes
from serving.book import Forecast, Maker, forecast, week
from serving.recorded import Recorded, channel_of
from yupana.core.forecast import LEVELS


def recorded_forecasts(
    recorded: Recorded, use_case: str, ubigeos: list[str], day: date
) -> dict[str, Forecast]:
    """Forecasts that were made by a day, of the districts that have one."""
    found = recorded.then(ubigeos, day)
    return {ubigeo: _forecast(recorded.ref, use_case, rows) for ubigeo, rows in found.items()}


def _forecast(ref: str, use_case: str, rows: list[dict[str, Any]]) -> Forecast:
    first = rows[0]
    origin, version = first["origin"], first["model"].split("@")[1]
    weeks = [
        week(origin, row["horizon"], np.array([row[q] for q in LEVELS]), channel_of(row))
        for row in rows
    ]
    caveats = [notes.RECORDED, *([notes.POOLED] if first["pooled"] else [])]
    if any(made["alert"] is None for made in weeks):
        caveats.append(notes.NO_CHANNEL)
    maker = Maker(use_case, version, "", ref)
    return forecast(maker, first["ubigeo"], origin, {}, weeks, caveats)
