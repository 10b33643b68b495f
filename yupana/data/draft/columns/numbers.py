"""Whether a column holds numbers, and with which marks they are written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from yupana.core.patterns import BLANKS
from yupana.data.draft.columns import signs
from yupana.data.draft.columns.signs import Signs
from yupana.data.draft.columns.values import Values
from yupana.data.staging.cleaning import READABLE

if TYPE_CHECKING:
    import polars as pl

# (decimal, thousands), the plainest first: of two that read as much, the first is taken.
_MARKS = ((".", ""), (",", ""), (",", "."), (".", ","), (",", " "), (".", " "), (".", "'"),
          (",", "'"))  # fmt: skip
_LARGEST, _LONGEST = 2**31 - 1, 2**63 - 1
_ONE_GROUP = r"^[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}$"


class Numbers(NamedTuple):
    """How the numbers of a column are written.

    Attributes:
        good: values that read as numbers so.
        whole: all of them are whole.
        long: whole numbers that need 64 bits.
        fits: whole, and no larger than the platform's whole numbers of 64 bits.
        signs: what stands beside them.
        question: what a person should look at, empty when nothing.
    """

    decimal: str
    thousands: str
    good: Values
    whole: bool
    long: bool
    fits: bool
    signs: Signs
    evidence: str
    question: str


def of(values: Values) -> Numbers | None:
    """The marks by which most values read as numbers; None where none do."""
    beside = signs.of(values)
    if beside is None:
        return None
    bare = signs.plain(values.texts)
    read = [(marks, values.where(bare.str.contains(_readable(*marks)))) for marks in _MARKS]
    marks, good = max(read, key=lambda pair: pair[1].filled)
    if good.filled == 0:
        return None
    question = ""
    other = _grouping(good) if marks in ((".", ""), (",", "")) else None
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
    fits = whole and bool((texts.str.len_chars() <= 20).all()) and _largest(texts) <= _LONGEST
    long = fits and _largest(texts) > _LARGEST
    questions = "; ".join(q for q in (question, beside.question) if q)
    evidence = _evidence(values, good, marks, beside)
    return Numbers(*marks, good, whole, long, fits, beside, evidence, questions)


def _readable(decimal: str, thousands: str) -> str:
    """What staging reads as a number with these marks."""
    if decimal == "." and not thousands:
        return READABLE["number"]
    mark = BLANKS if thousands == " " else re.escape(thousands)
    grouped = f"|[1-9][0-9]{{0,2}}({mark}[0-9]{{3}})+" if thousands else ""
    point = re.escape(decimal)
    return f"^[+-]?([0-9]+{grouped})({point}[0-9]*)?$|^[+-]?{point}[0-9]+$"


def _grouping(good: Values) -> str:
    """An example's shape where each mark stands before three digits; else empty."""
    bare = signs.plain(good.texts)
    marked = bare.filter(bare.str.contains("[.,]"))
    if not len(marked) or not marked.str.contains(_ONE_GROUP).all():
        return ""
    return re.sub("[0-9]", "9", str(marked[0]))


def _without_marks(good: Values, mark: str) -> bool:
    """Whether all numbers without the mark are under a thousand, as they are where it is a mark of
    thousands, and there are enough to tell."""
    every = signs.plain(good.texts)
    bare = every.filter(~every.str.contains(re.escape(mark)))
    short = bare.str.contains(r"^[+-]?[0-9]{1,3}$")
    return len(good.texts) > 5 and len(bare) > 0 and bool(short.all())


def plain(texts: pl.Series, decimal: str, thousands: str) -> pl.Series:
    """Numbers' texts with a decimal point, without signs and marks of thousands."""
    texts = signs.plain(texts)
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

    numbers = texts.cast(pl.Int64, strict=False)
    if numbers.null_count():
        return _LONGEST + 1
    return max(int(numbers.max() or 0), -int(numbers.min() or 0))  # type: ignore[arg-type]


def _evidence(values: Values, good: Values, marks: tuple[str, str], beside: Signs) -> str:
    all_or = "all" if good.filled == values.filled else f"{good.filled:,} of"
    notation = f" with '{marks[0]}'" if marks[0] != "." else ""
    notation += f" and thousands by '{marks[1]}'" if marks[1] else ""
    notation += f" and {beside.unit} beside them" if beside.unit else ""
    notation += {"parentheses": ", negative in parentheses", "trailing": ", a minus behind",
                "minus": ""}[beside.negative]  # fmt: skip
    return f"{all_or} {values.filled:,} values read as numbers{notation}"
