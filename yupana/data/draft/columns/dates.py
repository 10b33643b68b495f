"""Dates as they are written: the pattern, and the order of day and month where values prove it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from yupana.data.contracts import date_patterns
from yupana.data.draft.columns.values import Values, enough
from yupana.data.staging.cleaning import READABLE

if TYPE_CHECKING:
    import polars as pl

Order = Literal["day", "month"]
_SEPARATORS = ("/", "-", ".", " ")
_CLOCKS = ("", " H:mm", " H:mm:ss", "'T'H:mm:ss")
# Patterns whose order is plain, and those that are one of two by the order of day and month.
_PLAIN = ("d 'de' MMMM 'de' yyyy", "d 'de' MMMM 'del' yyyy", "d MMMM yyyy", "d MMM yyyy",
          "d MMM yy", "d-MMM-yyyy", "d-MMM-yy", "d/MMM/yyyy", "d/MMM/yy",
          "MMMM d, yyyy")  # fmt: skip
_TWO_ORDERS = (
    *((f"d{s}M{s}{year}", f"M{s}d{s}{year}") for s in _SEPARATORS for year in ("yyyy", "yy")),
    *((f"yyyy{s}M{s}d", f"yyyy{s}d{s}M") for s in _SEPARATORS),
)
_COMPACT = "yyyyMMdd"
_ISO_CLOCKS = tuple("yyyy-M-d" + clock for clock in _CLOCKS)
_MIDNIGHT = r"[ T]0?0:00(:00)?$"
_MIDNIGHT_OR_DAY = rf"{_MIDNIGHT}|^[^:]*$"
_ALL_MIDNIGHT = "each stands at midnight: days"
_GLANCE = 200
# What a day looks like at all, so that columns of other things cost nothing.
_LOOKS = (
    r"(?i)^([0-9]{1,4}[/. -][0-9]{1,2}[/. -][0-9]{1,4}\b|[0-9]{1,2}[/ -](de )?[a-z]{3,10}\b|"
    r"[a-z]{3,10} [0-9]{1,2}, [0-9]{4}|[12][0-9]{7}$)"
)


@dataclass(frozen=True)
class Dates:
    """How the days of a column are written.

    Attributes:
        formats: patterns in the order in which they are tried; none: ISO 8601.
        good: values that read as days so.
        proven: the order of day and month that values above 12 prove; None: they do not.
        open: the order is a guess.
    """

    type: Literal["date", "timestamp"]
    formats: tuple[str, ...]
    good: Values
    proven: Order | None
    open: bool
    evidence: str
    question: str


def read(texts: pl.Series, pattern: str) -> pl.Series:
    """Texts as instants by one pattern, as staging reads them; null where one does not match whole
    or is no day."""
    import polars as pl

    expression, groups = date_patterns.expression(pattern)
    parts = texts.str.extract_groups(expression).struct.unnest()
    part = {letter: parts.to_series(place) for place, letter in enumerate(groups)}
    year = pl.select(
        pl.when(part["y"].str.len_chars() == 2).then("20" + part["y"]).otherwise(part["y"])
    ).to_series()
    number = date_patterns.MONTH_NUMBERS
    month = part["M"] if "M" in part else part["N"].str.to_lowercase().replace_strict(
        number, default=None, return_dtype=pl.String
    )
    day = year + "-" + month.str.zfill(2) + "-" + part["d"].str.zfill(2)
    clock = [part[g].str.zfill(2) if g in part else day.str.replace(".*", "00") for g in "Hms"]
    iso = day + " " + clock[0] + ":" + clock[1] + ":" + clock[2]
    return iso.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False)


def of(values: Values, borrowed: Order | None = None) -> Dates | None:
    """How a column's days are written; None where few of its values are days.

    Args:
        borrowed: the order that another column of the file proves.
    """
    for type, name in (("date", "date"), ("timestamp", "timestamp")):
        good = values.matching(READABLE[name])
        good = good.where(_iso(good.texts).is_not_null())
        if enough(good.filled, values.filled):
            if type == "timestamp" and (days := _midnights(good)):
                return days
            return Dates(type, (), good, None, False, "written as ISO 8601", "")  # type: ignore[arg-type]
    glance = Values(values.texts.head(_GLANCE), values.counts.head(_GLANCE), values.rows)
    if 2 * glance.matching(_LOOKS).filled < glance.filled:
        return None
    return _by_patterns(values, borrowed)


def _midnights(good: Values) -> Dates | None:
    """Days that are written as instants, as a workbook and a database hand them out."""
    forms = {p: date_patterns.expression(p).text for p in _ISO_CLOCKS}
    patterns = [p for p, form in forms.items() if good.texts.str.contains(form).any()]
    pattern = "|".join(forms[p] for p in patterns)
    if not patterns or not good.texts.str.contains(pattern).all():
        return None
    if not good.texts.str.contains(_MIDNIGHT_OR_DAY).all():
        return None
    return Dates("date", tuple(patterns), good, None, False, _ALL_MIDNIGHT, "")


def _iso(texts: pl.Series) -> pl.Series:
    return texts.str.extract("^([0-9-]+)", 1).str.to_date("%Y-%m-%d", strict=False)


def _by_patterns(values: Values, borrowed: Order | None) -> Dates | None:
    """By patterns, each on what the ones before it leave."""
    formats: list[str] = []
    families: list[tuple[str, str, int, int]] = []
    rest, clocks = values, False
    for clock in _CLOCKS:
        has_months = bool(rest.texts.str.contains("[a-zA-Z]{3}").any())
        for base in _PLAIN if has_months else ():
            after = rest.where(read(rest.texts, base + clock).is_null())
            if after.filled < rest.filled:
                formats.append(base + clock)
                rest, clocks = after, clocks or bool(clock)
        for pair in _TWO_ORDERS if rest.filled else ():
            first, second = (read(rest.texts, p + clock).is_not_null() for p in pair)
            if not (first | second).any():
                continue
            only = (rest.where(first & ~second).filled, rest.where(second & ~first).filled)
            families.append((pair[0] + clock, pair[1] + clock, *only))
            rest, clocks = rest.where(~(first | second)), clocks or bool(clock)
    if rest.filled and not formats and not families:
        compact = read(rest.texts, _COMPACT).is_not_null()
        formats, rest = [_COMPACT] * bool(compact.any()), rest.where(~compact)
    if not enough(values.filled - rest.filled, values.filled):
        return None
    numeric, proven, evidence, question = _ordered(families, borrowed)
    good = values.where(~values.texts.is_in(rest.texts.to_list()))
    unproven = bool(question) and proven is None
    midnight = clocks and bool(good.texts.str.contains(_MIDNIGHT_OR_DAY).all())
    kind: Literal["date", "timestamp"] = "timestamp" if clocks and not midnight else "date"
    evidence = "; ".join(filter(None, (evidence, _ALL_MIDNIGHT * midnight)))
    return Dates(kind, (*numeric, *formats), good, proven, unproven, evidence, question)


def _ordered(
    families: list[tuple[str, str, int, int]], borrowed: Order | None
) -> tuple[list[str], Order | None, str, str]:
    """Patterns of all families, the order that is proven, evidence and questions."""
    mixed = [f for f in families if not f[0].startswith("yyyy")]
    day, month = sum(f[2] for f in mixed), sum(f[3] for f in mixed)
    proven: Order | None = None
    if bool(day) != bool(month):
        proven = "day" if day else "month"
    order = proven or borrowed or ("month" if month > day else "day")
    formats, evidence, questions = [], [], []
    for first, second, only_first, only_second in families:
        own: Order = "day" if only_first >= only_second else "month"
        year_first = first.startswith("yyyy")
        if only_first and only_second:
            formats += [first, second] if own == "day" else [second, first]
            questions.append(
                f"{only_first:,} values can only be {first} and {only_second:,} only {second}: "
                f"those that can be both are read as {formats[-2]}"
            )
        elif only_first or only_second:
            formats.append(first if own == "day" else second)
            proofs = only_first or only_second
            evidence.append(f"{formats[-1]} proven by {proofs:,} values above 12")
        elif year_first:
            formats.append(first)
            evidence.append(f"{first}, the year first")
        else:
            formats.append(first if order == "day" else second)
            if proven or borrowed:
                evidence.append(f"{formats[-1]} as the other dates of the file prove")
            else:
                questions.append(f"no value is above 12: {first} or {second}? Ask the publisher")
    if any("yyyy" not in f for f in formats):
        questions.append("years of two digits are read as 2000-2099")
    return formats, proven, "; ".join(evidence), "; ".join(questions)
