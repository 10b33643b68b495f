"""English names for published headers, by `words.csv` and the country's, and units, by
`units.csv`."""

from __future__ import annotations

import csv
import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from yupana.data.draft.columns.values import words
from yupana.data.national import columns

_HERE = Path(__file__).parent
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
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "usd": "USD", "dolares": "USD",
    "pen": "PEN", "r$": "BRL", "brl": "BRL", "bs": "BOB", "bob": "BOB", "bolivianos": "BOB",
}  # fmt: skip
# Money that a header names; where it names none, `precio` is a guess of the country's own.
_SIGNS = re.compile(r"(?<![A-Za-z])S/\.?|US\$|R\$|\$|€|£|¥")
_MONEY = frozenset(
    ("eur", "euro", "euros", "usd", "dolares", "pen", "brl", "bs", "bob", "bolivianos", "ars",
     "clp", "cop", "mxn", "gbp", "pesos", "reales")
)  # fmt: skip


class Unit(NamedTuple):
    """A unit, and what speaks for it."""

    unit: str
    evidence: str


def meaning(header: str) -> tuple[str, ...]:
    """A header's words in English, the longest Spanish terms first; words that are not in the list
    stay as they are."""
    rest, out = list(words(header)), []
    dictionary = _dictionary()
    while rest:
        for size in range(min(_MOST_WORDS, len(rest)), 0, -1):
            english = dictionary.get(" ".join(rest[:size]))
            if english is not None:
                out += english.split("_") if english else []
                rest = rest[size:]
                break
        else:
            out.append(rest.pop(0))
    return tuple(out)


def name(terms: tuple[str, ...], type: str, used: set[str]) -> str:
    """A standard name, `snake_case`, unlike those taken.

    Args:
        type: a name that ends like a day's is for dates alone.
    """
    # `fc_reclamo` and `nro_dni` would else repeat a word.
    unique = [w for i, w in enumerate(terms) if i == 0 or w != terms[i - 1]]
    if len(unique) > 1 and unique[0] in _LAST and unique[-1] not in _LAST:
        unique.append(unique.pop(0))
    plain = "_".join(unique) or "column"
    if not plain[0].isalpha():
        plain = f"value_{plain}"
    plain = plain[:_LONGEST].rstrip("_")
    if _DAY_NAME.search(plain) and type not in ("date", "timestamp"):
        plain = f"{plain}_text" if type == "string" else f"{plain}_number"
    free, number = plain, 2
    while free in used or free in _OWN:
        free, number = f"{plain}_{number}", number + 1
    return free


def unit(header: str, low: float, high: float) -> Unit | None:
    """A number's unit: as the header writes it, else by its words; None where neither tells.

    Args:
        low, high: the column's extent; where it contradicts the words, none is guessed.
    """
    for text in re.findall(r"[(\[]([^()\[\]]{1,12})[)\]]", header):
        if stated := _WRITTEN.get(text.strip().lower()):
            return Unit(stated, f"unit: '{text.strip()}' in the header")
    for sign in ("%", "°C"):
        if sign in header:
            return Unit(sign, f"unit: '{sign}' in the header")
    there = words(header)
    if money := [*_SIGNS.findall(header), *(w for w in there if w in _MONEY)]:
        # `$` and `pesos` are of several countries: they are asked.
        currency = _WRITTEN.get(money[0].lower())
        return Unit(currency, f"unit: '{money[0]}' in the header") if currency else None
    for terms, standard in _units():
        if terms <= set(there):
            if not can_be(standard, low, high):
                return None
            kelvin = standard == "°C" and low > 150
            evidence = f"unit: a guess by '{' '.join(sorted(terms))}' in the header"
            return Unit("K" if kelvin else standard, evidence + ", all over 150" * kelvin)
    return None


def can_be(standard: str, low: float, high: float) -> bool:
    """Whether numbers can be of a unit."""
    if standard == "%":
        return low >= 0 and high <= 100
    return standard != "degree" or (low >= -180 and high <= 360)


@lru_cache(maxsize=1)
def _dictionary() -> dict[str, str]:
    tables = (_table(_HERE / "words.csv"), _table(columns.WORDS))
    return {row["published"]: row["name"] for rows in tables for row in rows}


@lru_cache(maxsize=1)
def _units() -> list[tuple[frozenset[str], str]]:
    return [(frozenset(row["words"].split()), row["unit"]) for row in _table(_HERE / "units.csv")]


def _table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))
