"""What a use case declares of its features, so that checks need no list of faults.

A trait says what must be true of a column whatever the epidemic does: a lag was last week's
younger lag, a province holds the sum of its districts, a season follows from the calendar.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

DISTRICT = 6
"""Digits of a district's ubigeo; four are its province's, two its department's."""


@dataclass(frozen=True)
class Lag:
    """The count of the week `weeks` before, summed over the places that share `digits`."""

    weeks: int
    digits: int = DISTRICT


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


Trait = Lag | Mean | Since | Share | Season | Constant | Measure
Traits = Mapping[str, Trait]


def lags(traits: Traits, digits: int = DISTRICT) -> list[str]:
    """Columns of the counts of places of so many digits, newest week first."""
    found = {t.weeks: c for c, t in traits.items() if isinstance(t, Lag) and t.digits == digits}
    return [found[k] for k in range(len(found))]


def of_kind(traits: Traits, kind: type) -> list[str]:
    """Columns of one trait."""
    return [c for c, t in traits.items() if isinstance(t, kind)]
