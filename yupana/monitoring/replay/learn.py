"""Pasts to learn from and to watch, and the norms of the years before those that are watched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import ModuleType

from yupana.core.forecast import Forecaster
from yupana.monitoring.checks import judge, norms
from yupana.monitoring.checks.norms import Norms
from yupana.monitoring.checks.statistic import Statistic
from yupana.monitoring.checks.traits import Traits
from yupana.monitoring.replay import history as histories
from yupana.monitoring.replay import lateness
from yupana.monitoring.replay.history import FIRST, Counts, History

LATE = (lateness.STEADY, lateness.HOLIDAYS, lateness.SLOWING)

Model = Callable[[int], Forecaster]


def pasts(
    counts: Counts, room: ModuleType, model: Model, late: Sequence[lateness.Lateness],
    *, seed: int, span: range, say: Callable[[str], None],
) -> list[History]:  # fmt: skip
    """The same years, each way of reporting late once, with features and forecasts.

    Args:
        model: the forecaster of a year.
        seed: of the first; the next ones follow it.
        span: weeks of features.
    """
    found = []
    for n, way in enumerate(late):
        say(f"the weeks up to {counts.weeks[span[-1]]} as known then: late reports {way.name}")
        built = histories.build(counts, way, room, seed=seed + n, span=span)
        found.append(histories.forecast(built, span, model))
    return found


def learn(known: Sequence[History], traits: Traits, until: int) -> Norms:
    """Norms from the weeks before `until`, in which nothing is known to be wrong."""
    weeks = [[looked(past, w, traits) for w in range(FIRST, until)] for past in known]
    span = known[0].saturday(FIRST), known[0].saturday(until - 1)
    found = norms.learn(weeks, (str(span[0]), str(span[1])), judge.RULES)
    return replace(found, probe={str(span[1]): sum(s.value for s in weeks[0][-1])})


def looked(past: History, week: int, traits: Traits) -> list[Statistic]:
    """The statistics of one week, with forecasts and truth as they were then."""
    return judge.statistics(past.window(week), traits, past.record(week))
