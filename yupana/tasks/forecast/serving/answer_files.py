"""Answers as files: forecasts and alerts as CSV that spreadsheets open as it is, and alerts as a
map layer."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from starlette.responses import Response

from yupana.serving.notes import Note
from yupana.tasks.forecast.quantiles import LEVELS, QUANTILES
from yupana.tasks.forecast.usecases import ForecastUseCase

Alerts = dict[str, Any]
"""What `alerts.alerts` returns."""

_OF_ALERTS = (
    "alert", "exceedance", "median", "low_80", "high_80", "pooled", "model",
    "data_as_of", "prediction_id", "caveats",
)  # fmt: skip
"""Of the period `lead`, after the day that ends it; then the level and the median of all."""

_OF_FORECASTS = (
    "as_of", "data_as_of", "model", "prediction_id", "caveats", "abstention", "es", "en",
)  # fmt: skip
"""After the quantiles: `caveats` and `abstention` are codes, `es` and `en` their words."""
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def forecast_csv(answer: dict[str, Any], definition: ForecastUseCase) -> str:
    """CSV of an answer of the endpoint `forecast`.

    Args:
        answer: `as_of`, `predictions` and `abstentions`, as they are sent as JSON.
    """
    key, frequency = definition.spec.entity.key, definition.frequency
    levels = dict(zip(LEVELS, map(str, QUANTILES), strict=True))
    period = (frequency.ending, "median", "low_80", "high_80", "alert", "exceedance", *levels)
    columns = (key, "horizon", *period, *_OF_FORECASTS)
    lines: list[list[Any]] = [list(columns)]
    for prediction in answer["predictions"]:
        codes = " ".join(caveat["code"] for caveat in prediction["caveats"])
        facts = {**prediction, "as_of": answer["as_of"], "caveats": codes}
        facts |= _words(prediction["caveats"])
        for step in prediction[frequency.listing]:
            low, high = step["interval_80"]
            quantiles = {name: step["quantiles"][level] for name, level in levels.items()}
            row = {**facts, **step, **quantiles, "low_80": low, "high_80": high}
            lines.append([row.get(column) for column in columns])
    for reason in answer["abstentions"]:
        row = {**reason, "as_of": answer["as_of"], "abstention": reason["code"]}
        lines.append([row.get(column) for column in columns])
    return _csv(lines)


def alerts_geojson(alerts: Alerts, definition: ForecastUseCase, boundaries: Path | None) -> Alerts:
    """A FeatureCollection (RFC 7946), a feature an entity; geometry null where none is known.

    Args:
        boundaries: see `Places.boundaries`.
    """
    places, key = definition.places, definition.spec.entity.key
    shapes = places.boundaries(boundaries) if boundaries else {}
    return {
        "type": "FeatureCollection",
        **{k: v for k, v in alerts.items() if k != places.listing},
        "features": [
            {
                "type": "Feature",
                "id": entity[key],
                "geometry": shapes.get(entity[key]),
                "properties": entity,
            }
            for entity in alerts[places.listing]
        ],
    }


def alerts_csv(alerts: Alerts, definition: ForecastUseCase) -> str:
    """CSV, a line an entity."""
    places, frequency = definition.places, definition.frequency
    columns = (definition.spec.entity.key, *places.names_of, frequency.ending, *_OF_ALERTS)
    entities = alerts[places.listing]
    most = max((len(entity[frequency.listing]) for entity in entities), default=0)
    ahead = [f"{name}_{h}" for h in range(1, most + 1) for name in ("alert", "median")]
    raised = ["raised"] if "threshold" in alerts else []
    lines = [[*columns, *ahead, *raised]]
    codes = " ".join(caveat["code"] for caveat in alerts["caveats"])
    for entity in entities:
        low, high = entity["interval_80"]
        flat = {**entity, "low_80": low, "high_80": high, "caveats": codes}
        levels = [s[name] for s in entity[frequency.listing] for name in ("alert", "median")]
        lines.append([*(flat[c] for c in columns), *levels, *(flat[c] for c in raised)])
    return _csv(lines)


def response(content: str, name: str) -> Response:
    """An answer that is saved as a file of this name."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


def _csv(lines: Iterable[Sequence[Any]]) -> str:
    """CSV (RFC 4180) of lines, the first the names of the columns.

    It starts with a byte order mark: without it Excel reads UTF-8 as Latin-1, and Ñ is lost.
    """
    out = io.StringIO()
    csv.writer(out).writerows(map(_cell, line) for line in lines)
    return "\ufeff" + out.getvalue()


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets an apostrophe before it."""
    if isinstance(value, str) and value.startswith(_STARTS_A_FORMULA):
        return f"'{value}"
    return value


def _words(caveats: list[Note]) -> dict[str, str]:
    return {language: " ".join(caveat[language] for caveat in caveats) for language in ("es", "en")}
