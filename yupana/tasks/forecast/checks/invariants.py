"""What a use case declares of its features, so that checks need no list of faults.

An invariant says what must be true of a column whatever the epidemic does: a lag was last week's
younger lag, a province holds the sum of its districts, a season follows from the calendar.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Lag:
    """The count of the week `weeks` before: a place's own, or the sum over those whose codes share
    so many first `digits`."""

    weeks: int
    digits: int | None = None


@dataclass(frozen=True)
class Mean:
    """Mean count of the newest `weeks` weeks."""

    weeks: int


@dataclass(frozen=True)
class Since:
    """Weeks since the last one with a case, at most `most`."""

    most: int


@dataclass(frozen=True)
class Share:
    """Share of the newest week that is known; the newest count times it is a whole number."""


@dataclass(frozen=True)
class Season:
    """The same for all places; follows from the day (a Saturday) that ends the week."""

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
    """Columns of the places' own counts, newest week first."""
    own = ((t, c) for c, t in invariants.items() if isinstance(t, Lag) and t.digits is None)
    by_weeks = {t.weeks: c for t, c in own}
    return [by_weeks[k] for k in range(len(by_weeks))]


def prefixes(invariants: Invariants) -> tuple[int, ...]:
    """First digits of a code that name its groups, the widest group (fewest digits) first."""
    sums = {t.digits for t in invariants.values() if isinstance(t, Lag)}
    return tuple(sorted(digits for digits in sums if digits is not None))


def of_kind(invariants: Invariants, kind: type) -> list[str]:
    """Columns of one invariant."""
    return [c for c, t in invariants.items() if isinstance(t, kind)]
