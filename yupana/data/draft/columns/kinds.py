"""The logical type of a column, judged on all of its values."""

from __future__ import annotations

from dataclasses import dataclass

from yupana.data.draft.columns import dates, missing, numbers
from yupana.data.draft.columns.dates import Dates, Order
from yupana.data.draft.columns.values import Values, enough
from yupana.data.national import columns

# Words of headers whose whole numbers are numbers although zeros may lead (`01` of January).
CALENDAR = frozenset(("year", "month", "week", "day", "hour", "minute", "quarter", "semester"))
_CODES = columns.CODE_WORDS | {"code", "dni", "ruc", "document", "phone", "mobile"}
YES_NO = (("si", "no"), ("sí", "no"), ("s", "n"), ("yes", "no"), ("y", "n"), ("true", "false"),
           ("verdadero", "falso"), ("t", "f"))  # fmt: skip

_WITH_SIGNS = r"^[(]?\s*(S/\.?|US\$|[$€])?\s*[-+]?[0-9][0-9.,' ]*\s*[^0-9 ]{1,12}\s*[)]?$"


@dataclass(frozen=True)
class Kind:
    """What the values of a column are.

    Attributes:
        good: values that read as the type; the others go to quarantine.
        broken: rows that do.
        unit: sign of a unit beside the numbers; negative: how numbers below zero are written.
        long: whole numbers that need 64 bits.
    """

    type: str
    good: Values
    evidence: str
    marks: tuple[str, ...] = ()
    marks_evidence: str = ""
    broken: int = 0
    decimal: str = "."
    thousands: str = ""
    dates: Dates | None = None
    unit: str = ""
    negative: str = "minus"
    long: bool = False
    questions: tuple[str, ...] = ()


def of(values: Values, meaning: tuple[str, ...], borrowed: Order | None = None) -> Kind:
    """The type of a column.

    Args:
        meaning: English words of the header.
        borrowed: the order of day and month that another column proves.
    """
    sure = missing.by_word(values)
    plain = values.without(sure.marks)
    if plain.filled == 0:
        nothing = f"all {values.rows:,} cells are empty"
        return Kind("string", plain, nothing, sure.marks, sure.evidence, questions=(nothing,))
    return (
        _days(plain, sure, borrowed)
        or _yes_or_no(plain, sure)
        or _number(plain, sure, meaning)
        or Kind("string", plain, _few(plain), sure.marks, sure.evidence, questions=_signed(plain))
    )


def _days(plain: Values, sure: missing.Missing, borrowed: Order | None) -> Kind | None:
    days = dates.of(plain, borrowed)
    if days is None:
        return None
    others = plain.without(tuple(days.good.texts.to_list()))
    odd = missing.by_contrast(others, days.good)
    return Kind(
        days.type,
        days.good,
        days.evidence,
        (*sure.marks, *odd.marks),
        _join(sure.evidence, odd.evidence),
        broken=others.without(odd.marks).filled,
        dates=days,
        questions=(days.question,) if days.question else (),
    )


def _yes_or_no(plain: Values, sure: missing.Missing) -> Kind | None:
    texts = {t.lower(): t for t in plain.texts.head(5).to_list()}
    if len(plain.texts) > 4 or not any(set(texts) == set(pair) for pair in YES_NO):
        return None
    evidence = f"only {' and '.join(sorted(plain.texts.to_list()))}"
    return Kind("boolean", plain, evidence, sure.marks, sure.evidence)


def _number(plain: Values, sure: missing.Missing, meaning: tuple[str, ...]) -> Kind | None:
    reading = numbers.of(plain)
    if reading is None:
        return None
    others = plain.without(tuple(reading.good.texts.to_list()))
    odd = missing.by_contrast(others, reading.good)
    slips = others.without(odd.marks)
    if not enough(reading.good.filled, reading.good.filled + slips.filled):
        return None
    read = numbers.numeric(reading.good.texts, reading.decimal, reading.thousands)
    far = missing.sentinels(reading.good, read)
    good = reading.good.without(far.marks)
    marks = (*sure.marks, *odd.marks, *far.marks)
    evidence = _join(sure.evidence, odd.evidence, far.evidence)
    zeros = bool(good.texts.str.contains("^0[0-9]+$").any())
    if code := _code(reading, zeros, meaning):
        # As text nothing else than a sure mark is told from a code.
        return Kind("string", plain, code, sure.marks, sure.evidence)
    questions = [reading.question] if reading.question else []
    questions += [f"taken for no value: {far.evidence}"] if far.marks else []
    questions += [f"taken for no value: {odd.evidence}"] if odd.marks else []
    return Kind(
        "integer" if reading.fits else "number",
        good,
        _whole(reading),
        marks,
        evidence,
        slips.filled,
        reading.decimal,
        reading.thousands,
        unit=reading.signs.unit,
        negative=reading.signs.negative,
        long=reading.long,
        questions=tuple(questions),
    )


def _code(read: numbers.Numbers, zeros: bool, meaning: tuple[str, ...]) -> str:
    """Why digits are a code and no number; empty where they are a number."""
    if zeros and read.whole and not CALENDAR & set(meaning):
        return "digits with zeros in front: a code, no number"
    if read.whole and _CODES & set(meaning):
        return "digits that name something: a code, no number"
    if read.whole and (read.long or not read.fits):
        lengths = read.good.texts.str.len_chars()
        if lengths.min() == lengths.max():
            return f"digits, {lengths[0]} each: a code, no number"
    if read.whole and not read.fits:
        return "whole numbers of more than 64 bits: text alone keeps their digits"
    return ""


def _whole(read: numbers.Numbers) -> str:
    return read.evidence + (", all whole" if read.whole else "")


def _signed(plain: Values) -> tuple[str, ...]:
    if enough(plain.matching(_WITH_SIGNS).filled, plain.filled):
        return ("numbers with what stands beside them? They are kept as text here: state `unit`",)
    return ()


def _few(plain: Values) -> str:
    return f"text, {len(plain.texts):,} different of {plain.filled:,}"


def _join(*parts: str) -> str:
    return ", ".join(part for part in parts if part)
