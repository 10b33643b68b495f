"""What a use case declares of its features, so that checks need no list of faults.

An invariant says what must be true of a column whatever the epidemic does: a lag was the younger
lag a period ago, a province holds the sum of its districts, a season follows from the calendar.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Lag:
    """The count so many `periods` before: a place's own, or the sum over those whose codes share so
    many first `digits`."""

    periods: int
    digits: int | None = None


@dataclass(frozen=True)
class Mean:
    """Mean count of the newest `periods`."""

    periods: int


@dataclass(frozen=True)
class Since:
    """Periods since the last one with a case, at most `most`."""

    most: int


@dataclass(frozen=True)
class Share:
    """Share of the newest period that is known; the newest count times it is a whole number."""


@dataclass(frozen=True)
class Season:
    """The same for all places; follows from the day that ends the period."""

    of: Callable[[date], float]


@dataclass(frozen=True)
class Constant:
    """Changes with a census only."""


@dataclass(frozen=True)
class Measure:
    """Measured: neither a count nor a function of others, and never twice quite the same."""


Invariant = Lag | Mean | Since | Share | Season | Constant | Measure
Invariants = Mapping[str, Invariant]


def lags(invariants: Invariants) -> list[str]:
    """Columns of the places' own counts, newest period first."""
    own = ((t, c) for c, t in invariants.items() if isinstance(t, Lag) and t.digits is None)
    by_age = {t.periods: c for t, c in own}
    return [by_age[k] for k in range(len(by_age))]


def reach(invariants: Invariants) -> int:
    """Periods back that the longest mean asks for, and a few more."""
    return max((t.periods for t in invariants.values() if isinstance(t, Mean)), default=0) + 6


def prefixes(invariants: Invariants) -> tuple[int, ...]:
    """First digits of a code that name its groups, the widest group (fewest digits) first."""
    sums = {t.digits for t in invariants.values() if isinstance(t, Lag)}
    return tuple(sorted(digits for digits in sums if digits is not None))


def of_kind(invariants: Invariants, kind: type) -> list[str]:
    """Columns of one invariant."""
    return [c for c, t in invariants.items() if isinstance(t, kind)]
