"""Peru's districts: their words, names, departments and boundaries."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from yupana.core import foreign_json
from yupana.core.errors import TerminalError, UsageError
from yupana.core.spec import Bilingual
from yupana.data.national import places
from yupana.tasks.forecast.places import Noun, Places

_CODES = ("ubigeo", "UBIGEO", "IDDIST")
Ring = list[list[float]]


class Names(NamedTuple):
    """Of a district, its province and its department; empty where INEI has no such code."""

    department: str
    province: str
    district: str


class Districts(Places):
    """Districts by their INEI code of six digits; the first two are the department's."""

    noun = Noun("distrito", "distritos", "district", "districts")
    listing = "districts"
    area = "department"
    area_pattern = "^([0-9]{2})?$"
    everywhere = "peru"
    code = Bilingual(es="código INEI", en="INEI code")
    how_to_code = Bilingual(
        es="un código INEI de seis dígitos entre comillas", en="a six-digit INEI code in quotes"
    )
    how_to_area = "Envíe sus dos dígitos, como 16. / Send its two digits, such as 16."
    pattern = "^[0-9]{6}$"
    wider = Bilingual(es="su provincia y departamento", en="its province and department")
    names_of = Names._fields

    def names(self, entity: str) -> dict[str, str]:
        """Department, province and district."""
        return names(entity)._asdict()

    def area_of(self, entity: str) -> str:
        """The department's two digits."""
        return entity[:2]

    def area_name(self, code: str) -> str:
        """The department's name."""
        if name := department(code):
            return name
        raise UsageError(
            f"INEI no tiene el departamento {code}. / INEI has no department {code}.",
            where=self.area,
            fix=self.how_to_area,
        )

    def boundaries(self, path: Path) -> dict[str, Any]:
        """See `boundaries`."""
        return boundaries(path)


def names(ubigeo: str) -> Names:
    """The names of a district."""
    return _names().get(ubigeo, Names("", "", ""))


def department(code: str) -> str:
    """A department's name, empty where INEI has no such code of two digits."""
    return _departments().get(code, "")


@lru_cache(maxsize=1)
def _names() -> dict[str, Names]:
    return {
        code: Names(*map(places.readable, place)) for place, code in places.ubigeos().items()
    }


@lru_cache(maxsize=1)
def _departments() -> dict[str, str]:
    return {code[:2]: place.department for code, place in _names().items()}


@lru_cache(maxsize=1)
def boundaries(path: Path) -> dict[str, Any]:
    """GeoJSON geometry by ubigeo, outer rings counterclockwise as RFC 7946 wants them.

    Args:
        path: GeoJSON of districts with their code as `ubigeo`, `UBIGEO` or `IDDIST`.

    Raises:
        TerminalError: the file is no such GeoJSON.
    """
    try:
        features = foreign_json.loads(path.read_text(encoding="utf-8"))["features"]
        return {_code(f): _wound(f["geometry"]) for f in features if f["geometry"] and _code(f)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TerminalError(
            "The boundaries cannot be read.",
            where=str(path),
            fix="Give a GeoJSON FeatureCollection of districts.",
        ) from error


def _code(feature: Any) -> str:
    return next((str(feature["properties"][c]) for c in _CODES if feature["properties"].get(c)), "")


def _wound(shape: Any) -> Any:
    if shape["type"] == "Polygon":
        return {"type": "Polygon", "coordinates": _polygon(shape["coordinates"])}
    return {"type": shape["type"], "coordinates": [_polygon(p) for p in shape["coordinates"]]}


def _polygon(rings: list[Ring]) -> list[Ring]:
    """The outer ring counterclockwise, holes clockwise."""
    return [ring if (_area(ring) > 0) == (i == 0) else ring[::-1] for i, ring in enumerate(rings)]


def _area(ring: Ring) -> float:
    """Twice the signed area; positive where the ring runs counterclockwise."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring))
