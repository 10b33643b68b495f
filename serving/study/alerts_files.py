"""Alerts as a map layer and as a spreadsheet."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from serving.study import places

Told = dict[str, Any]

COLUMNS = (
    "ubigeo", "department", "province", "district", "week_ending", "alert", "exceedance", "median",
    "low_80", "high_80", "pooled", "model", "data_as_of", "prediction_id",
    "caveats",
)  # fmt: skip
"""Of the week `lead`; after them the level and the median of every week."""

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def geojson(told: Told, boundaries: Path | None) -> Told:
    """A FeatureCollection (RFC 7946), a feature a district; geometry null where none is known.

    Args:
        told: what `alerts.alerts` gave.
        boundaries: see `places.boundaries`.
    """
    shapes = places.boundaries(boundaries) if boundaries else {}
    return {
        "type": "FeatureCollection",
        **{k: v for k, v in told.items() if k != "districts"},
        "features": [
            {
                "type": "Feature",
                "id": district["ubigeo"],
                "geometry": shapes.get(district["ubigeo"]),
                "properties": district,
            }
            for district in told["districts"]
        ],
    }


def spreadsheet(told: Told) -> str:
    """CSV (RFC 4180), a line a district.

    It starts with a byte order mark: without it Excel reads UTF-8 as Latin-1, and Ñ is lost.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    weeks = max((len(d["weeks"]) for d in told["districts"]), default=0)
    ahead = [f"{name}_{h}" for h in range(1, weeks + 1) for name in ("alert", "median")]
    writer.writerow([*COLUMNS, *ahead])
    for district in told["districts"]:
        low, high = district["interval_80"]
        codes = " ".join(c["code"] for c in told["caveats"])
        flat = {**district, "low_80": low, "high_80": high, "caveats": codes}
        of_weeks = [w[name] for w in district["weeks"] for name in ("alert", "median")]
        writer.writerow([_cell(v) for v in (*(flat[c] for c in COLUMNS), *of_weeks)])
    return "\ufeff" + out.getvalue()


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets an apostrophe before it."""
    if isinstance(value, str) and value.startswith(_STARTS_A_FORMULA):
        return f"'{value}"
    return value
