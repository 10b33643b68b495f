"""What stands beside the numbers of a column: %, money, parentheses or a minus behind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from yupana.core.patterns import BLANKS
from yupana.data.draft.columns.values import Values
from yupana.data.staging.number_text import SIGNS

if TYPE_CHECKING:
    import polars as pl

_BY_TEXT = {"%": "%"} | {
    text: code for code in reversed(SIGNS) for text in (code, *SIGNS[code])
}  # fmt: skip
_ANY = "|".join(re.escape(t) for t in sorted(_BY_TEXT, key=len, reverse=True))
_BEFORE, _BEHIND = rf"^([(+-]?)({_ANY}){BLANKS}*", rf"{BLANKS}*({_ANY})([)-]?)$"
_DIGIT = r"[0-9]"
_NEGATIVES = {"parentheses": r"^\(.*\)$", "trailing": r"[0-9.,]-$"}


class Signs(NamedTuple):
    """Unit and form of negative numbers that the contract must state; unit empty: no sign."""

    unit: str
    negative: str
    question: str


def of(values: Values) -> Signs | None:
    """The signs of a column; None where two units stand in it, which are no one column of numbers.
    """
    texts = values.texts.filter(values.texts.str.contains(_DIGIT))
    sides = [texts.str.extract(_BEFORE, 2), texts.str.extract(_BEHIND, 1)]
    signs = {sign for side in sides for sign in side.drop_nulls().unique().to_list()}
    units = {_BY_TEXT[sign] for sign in signs}
    if len(units) > 1:
        return None
    bare = _without(texts)
    forms = [n for n, form in _NEGATIVES.items() if bare.str.contains(form).any()]
    only = signs.pop() if len(signs) == 1 else ""
    currencies = [code for code, listed in SIGNS.items() if only in listed]
    question = f"'{only}' is which of {', '.join(currencies)}?" if len(currencies) > 1 else ""
    return Signs(units.pop() if units else "", forms[0] if forms else "minus", question)


def plain(texts: pl.Series) -> pl.Series:
    """Texts without signs, a minus before what is negative."""
    bare = _without(texts).str.replace(r"^\(([^()+-]*)\)$", "-$1")
    return bare.str.replace(r"^([^+-]*[0-9.,])-$", "-$1")


def _without(texts: pl.Series) -> pl.Series:
    return texts.str.replace(_BEFORE, "$1").str.replace(_BEHIND, "$2")
