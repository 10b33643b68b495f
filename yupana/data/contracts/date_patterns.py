"""Patterns of dates and times as a contract writes them (java.time's letters), and their mend.

https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/time/format/DateTimeFormatter.html
"""

from __future__ import annotations

import re
from typing import NamedTuple

# Letters that may stand in a pattern, how often, and what they mean.
LETTERS = {
    "y": ((2, 4), "year"), "M": ((1, 2, 3, 4), "month"), "d": ((1, 2), "day"),
    "H": ((1, 2), "hour"), "m": ((1, 2), "minute"), "s": ((1, 2), "second"),
}  # fmt: skip
# Letters that java.time knows for something else, and the one that is probably meant.
_MEND = {
    "D": ("D is the day of the year", "d"),
    "Y": ("Y is the year that a week belongs to", "y"),
    "u": ("u is not known here", "y"),
    "L": ("L is not known here", "M"),
    "h": ("h is the hour of half a day", "H"),
}
_MONTHS = (
    "enero ene january jan", "febrero feb february", "marzo mar march", "abril abr april apr",
    "mayo may", "junio jun june", "julio jul july", "agosto ago august aug",
    "septiembre setiembre set sep september sept", "octubre oct october",
    "noviembre nov november", "diciembre dic december dec",
)  # fmt: skip
MONTH_NUMBERS = {name: f"{n:02}" for n, names in enumerate(_MONTHS, 1) for name in names.split()}
"""The number of a month, of two digits, by its names: Spanish and English, long and short."""

_TOKEN = re.compile(r"'([^']*)'|([A-Za-z])\2*|.", re.S)
_QUOTED = re.compile(r"'[^']*'")


class Fault(NamedTuple):
    """What is wrong with a pattern, and what to write."""

    what: str
    fix: str


def fault(pattern: str, kind: str) -> Fault | None:
    """What is wrong with a pattern for a column of a type; None when nothing is."""
    bare = _QUOTED.sub("", pattern)
    if "'" in bare:
        return Fault("a quote is left open", "Words stand between two quotes: d 'de' MMMM.")
    if "a" in bare and re.search("[hHkK]", bare):
        return Fault("a is the half of a day, and times of 12 hours are not read", _HALF_DAYS)
    for run in (m[0] for m in re.finditer(r"([A-Za-z])\1*", bare)):
        lengths, _ = LETTERS.get(run[0], ((), ""))
        if not lengths:
            if run[0] not in _MEND:
                return Fault(f"{run[0]} means nothing here", _KNOWN)
            mended = bare.translate({ord(old): new for old, (_, new) in _MEND.items()})
            return Fault(_MEND[run[0]][0], f"Write {mended}.")
        if len(run) not in lengths:
            return Fault(f"{run} is too {'short' if len(run) < lengths[0] else 'long'}", _KNOWN)
    return _incomplete(bare, kind)


_HALF_DAYS = (
    "Ask the publisher for hours from 0 to 23 (HH), or read the column as logicalType: string."
)
_KNOWN = "Letters are yyyy (or yy), M or MM (MMM, MMMM: names), d, H, m, s; words stand in quotes."


def _incomplete(bare: str, kind: str) -> Fault | None:
    has = {letter for letter in LETTERS if letter in bare}
    if kind not in ("date", "timestamp"):
        return Fault(f"the column is of type {kind}", "Use logicalType: date or timestamp.")
    if "m" in has and "H" not in has:
        return Fault("m is the minute", f"Write {bare.replace('m', 'M')}: M is the month.")
    if missing := [LETTERS[letter][1] for letter in "yMd" if letter not in has]:
        return Fault(f"it has no {' and no '.join(missing)}", _KNOWN)
    doubled = [run for letter in has if len(run := re.findall(f"{letter}+", bare)) > 1]
    if doubled:
        return Fault(f"{doubled[0][0]} stands twice", _KNOWN)
    return None


class Expression(NamedTuple):
    """A date pattern as a regular expression.

    Attributes:
        text: must match a text whole; case does not matter.
        groups: a letter for each: `y`, `M` (a number), `N` (a month's name), `d`, `H`, `m`, `s`.
    """

    text: str
    groups: str


def expression(pattern: str) -> Expression:
    """A pattern as a regular expression, and what its groups are."""
    parts, groups = [], ""
    for token in _TOKEN.finditer(pattern):
        run, letter = token[0], token[2]
        if token[1] is not None:
            parts.append(re.escape(token[1]))
        elif letter is None:
            parts.append(re.escape(run))
        elif letter == "M" and len(run) > 2:
            names = "|".join(sorted(MONTH_NUMBERS, key=len, reverse=True))
            parts.append(f"({names})[.]?")
            groups += "N"
        else:
            digits = "[1-9][0-9]{3}" if run == "yyyy" else f"[0-9]{{{len(run)}}}"
            parts.append(f"({digits})" if len(run) > 1 else "([0-9]{1,2})")
            groups += letter
    return Expression(f"(?i)^{''.join(parts)}$", groups)
