"""Alerts as a map layer and as a spreadsheet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from yupana.tasks.forecast.serving import spreadsheet as sheet
from yupana.tasks.forecast.usecases import ForecastUseCase

Alerts = dict[str, Any]
"""What `alerts.alerts` returns."""

_COLUMNS = (
    "alert", "exceedance", "median", "low_80", "high_80", "pooled", "model",
    "data_as_of", "prediction_id", "caveats",
)  # fmt: skip
"""Of the period `lead`, after the day that ends it; then the level and the median of all."""


def geojson(alerts: Alerts, definition: ForecastUseCase, boundaries: Path | None) -> Alerts:
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


def spreadsheet(alerts: Alerts, definition: ForecastUseCase) -> str:
    """CSV, a line an entity."""
    places, frequency = definition.places, definition.frequency
    columns = (definition.spec.entity.key, *places.names_of, frequency.ending, *_COLUMNS)
    entities = alerts[places.listing]
    most = max((len(entity[frequency.listing]) for entity in entities), default=0)
    ahead = [f"{name}_{h}" for h in range(1, most + 1) for name in ("alert", "median")]
    lines = [[*columns, *ahead]]
    codes = " ".join(caveat["code"] for caveat in alerts["caveats"])
    for entity in entities:
        low, high = entity["interval_80"]
        flat = {**entity, "low_80": low, "high_80": high, "caveats": codes}
        levels = [s[name] for s in entity[frequency.listing] for name in ("alert", "median")]
        lines.append([*(flat[c] for c in columns), *levels])
    return sheet.text(lines)
