"""The map of alert levels: a tile a district, and its picture.

The four zones are those of the endemic channel (Bortman 1999, Rev Panam Salud Publica 5:1-8).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from yupana.core import foreign_json
from yupana.core.errors import TerminalError
from yupana.data.national import places
from yupana.data.national.places import readable
from yupana.tasks.forecast.pages import figures_map
from yupana.tasks.forecast.pages.figures import Picture
from yupana.tasks.forecast.pages.figures_map import LEVELS

_CODES = ("ubigeo", "UBIGEO", "IDDIST")


def has_map(levels: Mapping[str, int]) -> bool:
    """Whether there is a level to draw, and the entities are INEI's districts."""
    return not set(places.ubigeos().values()).isdisjoint(levels)


def parts(
    levels: Mapping[str, int], boundaries: Path | None = None
) -> tuple[Picture, dict[str, Any]]:
    """The picture, and what `map_body.html` needs beside `png`.

    Args:
        levels: by ubigeo (six digits), 0 success, 1 security, 2 alert, 3 epidemic.
        boundaries: GeoJSON of districts (property ubigeo, UBIGEO or IDDIST); without it the
            picture is a grid of tiles.

    Raises:
        TerminalError: no level, a level or code that does not exist, or boundaries without
            one of the districts' codes.
    """
    names = {code: place for place, code in places.ubigeos().items()}
    if strange := sorted(set(levels) - set(names)):
        raise TerminalError(
            f"INEI has no district {', '.join(strange[:5])}.",
            where="alert levels",
            fix="Use codes of `yupana profile ubigeo`.",
        )
    if not levels or (odd := sorted(set(levels.values()) - set(range(len(LEVELS))))):
        what = f"There is no alert level {odd[0]}." if levels else "There are no alert levels."
        raise TerminalError(what, where="alert levels", fix="Give 0, 1, 2 or 3 by ubigeo.")
    provinces: dict[str, dict[str, int]] = {}
    for ubigeo in sorted(levels, key=lambda u: names[u]):
        department, province, district = names[ubigeo]
        of = provinces.setdefault(f"{readable(province)} ({readable(department)})", {})
        of[readable(district)] = levels[ubigeo]
    shapes = _shapes(boundaries, levels) if boundaries else {}
    if shapes:
        districts = {u: readable(names[u][2]) for u in levels}
        picture = figures_map.regions(shapes, levels, districts)
    else:
        picture = figures_map.tiles(provinces)
    return picture, {
        "provinces": provinces,
        "levels": LEVELS,
        "counts": [sum(v == level for v in levels.values()) for level in range(len(LEVELS))],
        "picture": picture if shapes else None,
        "undrawn": (
            sorted(readable(names[u][2]) for u in set(levels) - set(shapes)) if shapes else []
        ),
    }


def _shapes(boundaries: Path, levels: Mapping[str, int]) -> dict[str, Any]:
    """Geometries of the districts that have a level; some sources leave a geometry empty."""
    try:
        features = foreign_json.loads(boundaries.read_text(encoding="utf-8"))["features"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TerminalError(
            "The boundaries cannot be read.",
            where=str(boundaries),
            fix="Give a GeoJSON FeatureCollection of districts.",
        ) from error
    shapes = {}
    for feature in features:
        facts = feature.get("properties") or {}
        ubigeo = next((str(facts[c]) for c in _CODES if facts.get(c)), "")
        if ubigeo in levels and feature.get("geometry"):
            shapes[ubigeo] = feature["geometry"]
    if not shapes:
        raise TerminalError(
            "The boundaries hold none of the districts.",
            where=str(boundaries),
            fix=f"Give districts with their code in one of the properties {', '.join(_CODES)}.",
        )
    return shapes
