"""The key of a table: the smallest set of columns that no two rows share."""

from __future__ import annotations

from itertools import combinations
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from yupana.data.national import columns as national

if TYPE_CHECKING:
    import polars as pl

_MOST_COLUMNS = 4
_MOST_TRIALS = 400
_CANDIDATES = 12
_GLANCE = 5_000
# What keys are usually made of, the likeliest first.
_LIKELY = ({"id", "identifier"}, national.CODE_WORDS, {"code", "number"}, {"year", "epi"},
           {"week", "month"}, {"date", "day"},
           {national.SMALLEST_PLACE, "season", "station", "place"})  # fmt: skip
_ROLES = frozenset().union(*_LIKELY, {"hour", "quarter", "semester", "subregion", "region", "zone",
                                      "sector", "commune", "group"})  # fmt: skip


class Candidate(NamedTuple):
    """A column that may be part of a key: no cell of it is empty or unread.

    Attributes:
        column: its name in the frame.
        terms: English words of its header.
        distinct: how many different values it has.
        length: letters of a value on average; prose is an unlikely key.
    """

    column: str
    terms: tuple[str, ...]
    type: str
    distinct: int
    length: float

    @property
    def cost(self) -> float:
        """The higher, the less likely part of a key."""
        place = next((i for i, w in enumerate(_LIKELY) if w & set(self.terms)), len(_LIKELY))
        return place + self.length / 20


def may_be(type: str, terms: tuple[str, ...], measure: bool) -> bool:
    """Whether a column names rather than measures: a count that no two rows share is no key."""
    if measure or type in ("number", "boolean"):
        return False
    return type != "integer" or bool(_ROLES & set(terms))


def of(frame: pl.DataFrame, candidates: list[Candidate]) -> tuple[str, ...]:
    """The likeliest of the smallest keys, the likeliest column first; empty where there is none
    of up to four columns."""
    some = sorted((c for c in candidates if c.distinct > 1), key=lambda c: c.cost)[:_CANDIDATES]
    trials = 0
    for size in range(1, _MOST_COLUMNS + 1):
        sets = [s for s in combinations(some, size)
                if prod(c.distinct for c in s) >= frame.height]  # fmt: skip
        for columns in sorted(sets, key=lambda s: sum(c.cost for c in s)):
            trials += 1
            if trials > _MOST_TRIALS:
                return ()
            if _unique(frame, [c.column for c in columns]):
                return tuple(c.column for c in sorted(columns, key=lambda c: c.cost))
    return ()


def _unique(frame: pl.DataFrame, columns: list[str]) -> bool:
    top = frame.head(_GLANCE).select(columns)
    if top.n_unique() < top.height:
        return False
    return frame.select(columns).n_unique() == frame.height
