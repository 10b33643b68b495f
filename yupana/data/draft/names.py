"""English names for published headers, by `words.csv`, and units, by `units.csv`."""

from __future__ import annotations

import csv
import re
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

from yupana.data.draft.values import words

_LONGEST = 60
_MOST_WORDS = 4
_OWN = ("source_line", "source_sha256", "quality_flags", "broken_rules", "value_classes")
# Nouns that Spanish puts first and English last: `fecha_corte` is cutoff_date.
_LAST = ("date", "code", "number", "type", "name")
_DAY_NAME = re.compile(r"(^|_)date$|^date_|_(start|end|on)$")
# Units as publishers write them in brackets or after a name, and how the platform writes them.
_WRITTEN = {
    "mm": "mm", "°c": "°C", "ºc": "°C", "c": "°C", "%": "%", "km2": "km2", "km²": "km2", "m2": "m2",
    "m²": "m2", "m": "m", "msnm": "m", "m.s.n.m.": "m", "km": "km", "ha": "ha", "s/": "PEN",
    "s/.": "PEN", "soles": "PEN", "us$": "USD", "ug/m3": "µg m-3", "µg/m3": "µg m-3",
    "μg/m3": "µg m-3", "m/s": "m s-1", "m3/s": "m3 s-1", "hpa": "hPa", "mg/l": "mg l-1", "k": "K",
    "kg": "kg", "t": "t", "años": "years", "anos": "years", "meses": "months", "dias": "days",
    "días": "days", "casos": "cases", "personas": "persons",
}  # fmt: skip


class Unit(NamedTuple):
    """A unit, and what speaks for it."""

    unit: str
    evidence: str


def meaning(header: str) -> tuple[str, ...]:
    """A header's words in English, the longest Spanish terms first; words that are not in the list
    stay as they are."""
    left, out = list(words(header)), []
    dictionary = _dictionary()
    while left:
        for size in range(min(_MOST_WORDS, len(left)), 0, -1):
            english = dictionary.get(" ".join(left[:size]))
            if english is not None:
                out += english.split("_") if english else []
                left = left[size:]
                break
        else:
            out.append(left.pop(0))
    return tuple(out)


def name(meant: tuple[str, ...], type: str, taken: set[str]) -> str:
    """A standard name, `snake_case`, unlike those taken.

    Args:
        type: a name that ends like a day's is for dates alone.
    """
    # `fc_reclamo` and `nro_dni` would else repeat a word.
    unique = [w for i, w in enumerate(meant) if i == 0 or w != meant[i - 1]]
    if len(unique) > 1 and unique[0] in _LAST and unique[-1] not in _LAST:
        unique.append(unique.pop(0))
    plain = "_".join(unique) or "column"
    if not plain[0].isalpha():
        plain = f"value_{plain}"
    plain = plain[:_LONGEST].rstrip("_")
    if _DAY_NAME.search(plain) and type not in ("date", "timestamp"):
        plain = f"{plain}_text" if type == "string" else f"{plain}_number"
    found, number = plain, 2
    while found in taken or found in _OWN:
        found, number = f"{plain}_{number}", number + 1
    return found


def unit(header: str, low: float, high: float) -> Unit | None:
    """A number's unit: as the header writes it, else by its words; None where neither tells.

    Args:
        low, high: the column's extent; where it contradicts the words, none is guessed.
    """
    for text in re.findall(r"[(\[]([^()\[\]]{1,12})[)\]]", header):
        if stated := _WRITTEN.get(text.strip().lower()):
            return Unit(stated, f"unit: '{text.strip()}' in the header")
    for sign in ("%", "°C", "S/"):
        if sign in header:
            return Unit(_WRITTEN[sign.lower()], f"unit: '{sign}' in the header")
    there = words(header)
    for terms, standard in _units():
        if terms <= set(there):
            if not can_be(standard, low, high):
                return None
            kelvin = standard == "°C" and low > 150
            said = f"unit: a guess by '{' '.join(sorted(terms))}' in the header"
            return Unit("K" if kelvin else standard, said + ", all over 150" * kelvin)
    return None


def can_be(standard: str, low: float, high: float) -> bool:
    """Whether numbers can be of a unit."""
    if standard == "%":
        return low >= 0 and high <= 100
    return standard != "degree" or (low >= -180 and high <= 360)


@lru_cache(maxsize=1)
def _dictionary() -> dict[str, str]:
    return {row["published"]: row["name"] for row in _table("words.csv")}


@lru_cache(maxsize=1)
def _units() -> list[tuple[frozenset[str], str]]:
    return [(frozenset(row["words"].split()), row["unit"]) for row in _table("units.csv")]


def _table(file: str) -> list[dict[str, str]]:
    text = (resources.files("yupana.data.draft") / file).read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))
