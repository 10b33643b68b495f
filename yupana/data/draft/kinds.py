"""The logical type of a column, judged on all of its values."""

from __future__ import annotations

from dataclasses import dataclass, field

from yupana.data.draft import dates, missing, numbers
from yupana.data.draft.dates import Dates, Order
from yupana.data.draft.values import Values, enough

# Words of headers whose whole numbers are numbers although zeros may lead (`01` of January).
CALENDAR = frozenset(("year", "month", "week", "day", "hour", "minute", "quarter", "semester"))
_CODES = frozenset(("code", "ubigeo", "dni", "ruc", "document", "phone", "mobile"))
_YES_NO = (("si", "no"), ("sí", "no"), ("s", "n"), ("yes", "no"), ("y", "n"), ("true", "false"),
           ("verdadero", "falso"), ("t", "f"))  # fmt: skip
_READ_AS_THEY_ARE = ("true", "false", "yes", "no", "y", "n", "t", "f")

_WITH_SIGNS = r"^[(]?\s*(S/\.?|US\$|[$€])?\s*[-+]?[0-9][0-9.,' ]*\s*[^0-9 ]{1,12}\s*[)]?$"


@dataclass(frozen=True)
class Kind:
    """What the values of a column are.

    Attributes:
        good: values that read as the type; the others go to quarantine.
        broken: rows that do.
        unit: sign of a unit beside the numbers; negative: how numbers below zero are written.
        long: whole numbers that need 64 bits.
        codes: published text → what a boolean is read from.
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
    codes: dict[str, str] = field(default_factory=dict)
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
    found = dates.of(plain, borrowed)
    if found is None:
        return None
    others = plain.without(tuple(found.good.texts.to_list()))
    odd = missing.by_contrast(others, found.good)
    return Kind(
        found.type,
        found.good,
        found.evidence,
        (*sure.marks, *odd.marks),
        _joined(sure.evidence, odd.evidence),
        broken=others.without(odd.marks).filled,
        dates=found,
        questions=(found.question,) if found.question else (),
    )


def _yes_or_no(plain: Values, sure: missing.Missing) -> Kind | None:
    texts = {t.lower(): t for t in plain.texts.head(5).to_list()}
    if len(plain.texts) > 4 or not any(set(texts) == set(pair) for pair in _YES_NO):
        return None
    yes = next(pair[0] for pair in _YES_NO if set(texts) == set(pair))
    codes = {t: "true" if t.lower() == yes else "false" for t in plain.texts.to_list()}
    if all(t.lower() in _READ_AS_THEY_ARE for t in codes):
        codes = {}
    said = f"only {' and '.join(sorted(plain.texts.to_list()))}"
    return Kind("boolean", plain, said, sure.marks, sure.evidence, codes=codes)


def _number(plain: Values, sure: missing.Missing, meaning: tuple[str, ...]) -> Kind | None:
    found = numbers.of(plain)
    if found is None:
        return None
    others = plain.without(tuple(found.good.texts.to_list()))
    odd = missing.by_contrast(others, found.good)
    slips = others.without(odd.marks)
    if not enough(found.good.filled, found.good.filled + slips.filled):
        return None
    read = numbers.numeric(found.good.texts, found.decimal, found.thousands)
    far = missing.sentinels(found.good, read)
    good = found.good.without(far.marks)
    marks = (*sure.marks, *odd.marks, *far.marks)
    told = _joined(sure.evidence, odd.evidence, far.evidence)
    zeros = bool(good.texts.str.contains("^0[0-9]+$").any())
    if code := _code(found, zeros, meaning):
        # As text nothing else than a sure mark is told from a code.
        return Kind("string", plain, code, sure.marks, sure.evidence)
    questions = [found.question] if found.question else []
    questions += [f"taken for no value: {far.evidence}"] if far.marks else []
    questions += [f"taken for no value: {odd.evidence}"] if odd.marks else []
    return Kind(
        "integer" if found.fits else "number",
        good,
        _whole(found, good),
        marks,
        told,
        slips.filled,
        found.decimal,
        found.thousands,
        unit=found.signs.unit,
        negative=found.signs.negative,
        long=found.long,
        questions=tuple(questions),
    )


def _code(found: numbers.Numbers, zeros: bool, meaning: tuple[str, ...]) -> str:
    """Why digits are a code and no number; empty where they are a number."""
    if zeros and found.whole and not CALENDAR & set(meaning):
        return "digits with zeros in front: a code, no number"
    if found.whole and _CODES & set(meaning):
        return "digits that name something: a code, no number"
    if found.whole and (found.long or not found.fits):
        lengths = found.good.texts.str.len_chars()
        if lengths.min() == lengths.max():
            return f"digits, {lengths[0]} each: a code, no number"
    return ""


def _whole(found: numbers.Numbers, good: Values) -> str:
    return found.evidence + (", all whole" if found.whole else "")


def _signed(plain: Values) -> tuple[str, ...]:
    if enough(plain.matching(_WITH_SIGNS).filled, plain.filled):
        return ("numbers with what stands beside them? They are kept as text here: state `unit`",)
    return ()


def _few(plain: Values) -> str:
    return f"text, {len(plain.texts):,} different of {plain.filled:,}"


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)
