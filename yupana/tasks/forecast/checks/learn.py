"""The norms of a use case, from the past as its checks would have seen it period by period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from yupana.tasks.forecast.checks import judge, norms
from yupana.tasks.forecast.checks.invariants import Invariants
from yupana.tasks.forecast.checks.norms import Norms
from yupana.tasks.forecast.checks.record import Record
from yupana.tasks.forecast.checks.statistic import Statistic
from yupana.tasks.forecast.checks.window import Window


class Past(Protocol):
    """One way that the past may have been reported; periods have numbers."""

    @property
    def periods(self) -> range:
        """Those that are learned from."""
        ...

    def window(self, period: int) -> Window:
        """The periods up to one, as they were known then."""
        ...

    def record(self, period: int) -> Record:
        """Forecasts of the same periods, and the truth that was complete by then."""
        ...


def learn(pasts: Sequence[Past], invariants: Invariants) -> Norms:
    """Norms from periods in which nothing is known to be wrong.

    Args:
        pasts: of the same periods.
    """
    looks = [[one_period(past, p, invariants) for p in past.periods] for past in pasts]
    first, last = (pasts[0].window(pasts[0].periods[n]) for n in (0, -1))
    span = str(first.end), str(last.end)
    result = norms.learn(looks, span, judge.RULES, last.frequency)
    return replace(result, probe={span[1]: sum(s.value for s in looks[0][-1])})


def one_period(past: Past, period: int, invariants: Invariants) -> list[Statistic]:
    """The statistics of one period, with forecasts and truth as they were then."""
    return judge.statistics(past.window(period), invariants, past.record(period))
