"""Whether a column holds numbers, and with which marks they are written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from yupana.core.patterns import BLANKS
from yupana.data.cleaning import READABLE
from yupana.data.draft.values import Values

if TYPE_CHECKING:
    import polars as pl

# (decimal, thousands), the plainest first: of two that read as much, the first is taken.
_MARKS = ((".", ""), (",", ""), (",", "."), (".", ","), (",", " "), (".", " "), (".", "'"),
          (",", "'"))  # fmt: skip
_LARGEST = 2**31 - 1
_ONE_GROUP = r"^[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}$"


class Numbers(NamedTuple):
    """How the numbers of a column are written.

    Attributes:
        good: values that read as numbers so.
        whole: all of them are whole.
        fits: whole, and no larger than the platform's whole numbers.
        question: what a person should look at, empty when nothing.
    """

    decimal: str
    thousands: str
    good: Values
    whole: bool
    fits: bool
    evidence: str
    question: str


def of(values: Values) -> Numbers | None:
    """The marks by which most values read as numbers; None where none do."""
    read = [(marks, values.matching(_readable(*marks))) for marks in _MARKS]
    marks, good = max(read, key=lambda found: found[1].filled)
    if good.filled == 0:
        return None
    question = ""
    other = _grouped(good) if marks in ((".", ""), (",", "")) else None
    if other:
        one = marks[0]
        question = f"every '{one}' stands before three digits: {other}"
        if _without_marks(good, one):
            marks = (",", ".") if one == "." else (".", ",")
            question += ", and is taken for a mark of thousands; a decimal mark would be '" + one
            question += "'"
        else:
            question += f", and '{one}' is taken for the decimal mark"
    texts = plain(good.texts, *marks)
    whole = bool(texts.str.contains(r"^[+-]?[0-9]+$").all())
    fits = whole and bool((texts.str.len_chars() <= 11).all()) and _largest(texts) <= _LARGEST
    return Numbers(*marks, good, whole, fits, _evidence(values, good, marks), question)


def _readable(decimal: str, thousands: str) -> str:
    """What staging reads as a number with these marks."""
    if decimal == "." and not thousands:
        return READABLE["number"]
    mark = BLANKS if thousands == " " else re.escape(thousands)
    grouped = f"|[1-9][0-9]{{0,2}}({mark}[0-9]{{3}})+" if thousands else ""
    point = re.escape(decimal)
    return f"^[+-]?([0-9]+{grouped})({point}[0-9]*)?$|^[+-]?{point}[0-9]+$"


def _grouped(good: Values) -> str:
    """An example's shape where each mark stands before three digits; else empty."""
    marked = good.texts.str.contains("[.,]")
    if not marked.any() or not good.texts.filter(marked).str.contains(_ONE_GROUP).all():
        return ""
    return re.sub("[0-9]", "9", str(good.texts.filter(marked)[0]))


def _without_marks(good: Values, mark: str) -> bool:
    """Whether all numbers without the mark are under a thousand, as they are where it is a mark of
    thousands, and there are enough to tell."""
    bare = good.texts.filter(~good.texts.str.contains(re.escape(mark)))
    short = bare.str.contains(r"^[+-]?[0-9]{1,3}$")
    return len(good.texts) > 5 and len(bare) > 0 and bool(short.all())


def plain(texts: pl.Series, decimal: str, thousands: str) -> pl.Series:
    """Numbers' texts with a decimal point and without marks of thousands."""
    if thousands:
        texts = texts.str.replace_all(BLANKS if thousands == " " else re.escape(thousands), "")
    return texts.str.replace_all(re.escape(decimal), ".") if decimal != "." else texts


def numeric(
    column: pl.Series, decimal: str, thousands: str, missing: tuple[str, ...] = ()
) -> pl.Series:
    """A column's texts as numbers; null where one is no number or means no value."""
    import polars as pl

    texts = column.cast(pl.String).str.strip_chars(" ")
    texts = texts.replace(list(missing), None) if missing else texts
    return plain(texts, decimal, thousands).cast(pl.Float64, strict=False)


def _largest(texts: pl.Series) -> int:
    import polars as pl

    numbers = texts.cast(pl.Int64, strict=False).abs()
    return int(numbers.max() or 0)  # type: ignore[arg-type]


def _evidence(values: Values, good: Values, marks: tuple[str, str]) -> str:
    all_or = "all" if good.filled == values.filled else f"{good.filled:,} of"
    written = f" with '{marks[0]}'" if marks[0] != "." else ""
    written += f" and thousands by '{marks[1]}'" if marks[1] else ""
    return f"{all_or} {values.filled:,} values read as numbers{written}"
