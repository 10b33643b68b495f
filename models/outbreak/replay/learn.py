"""Pasts to learn from and to watch, and the norms of the years before those that are watched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from models.outbreak.replay import history, lateness
from models.outbreak.replay.history import FIRST, Counts, History
from yupana.tasks.forecast.checks import judge, norms
from yupana.tasks.forecast.checks.invariants import Invariants
from yupana.tasks.forecast.checks.norms import Norms
from yupana.tasks.forecast.checks.statistic import Statistic
from yupana.tasks.forecast.quantiles import Forecaster
from yupana.tasks.forecast.usecases import ForecastUseCase

LATE = (lateness.STEADY, lateness.HOLIDAYS, lateness.SLOWING)

Model = Callable[[int], Forecaster]


def pasts(
    counts: Counts, definition: ForecastUseCase, model: Model, late: Sequence[lateness.Lateness],
    *, seed: int, span: range, say: Callable[[str], None],
) -> list[History]:  # fmt: skip
    """The same years, each way of reporting late once, with features and forecasts.

    Args:
        model: the forecaster of a year.
        seed: of the first; the next ones follow it.
        span: weeks of features.
    """
    histories = []
    for n, way in enumerate(late):
        say(f"the weeks up to {counts.weeks[span[-1]]} as known then: late reports {way.name}")
        past = history.build(counts, way, definition, seed=seed + n, span=span)
        histories.append(history.forecast(past, span, model))
    return histories


def learn(histories: Sequence[History], invariants: Invariants, until: int) -> Norms:
    """Norms from the weeks before `until`, in which nothing is known to be wrong."""
    weeks = [[looked(past, w, invariants) for w in range(FIRST, until)] for past in histories]
    span = histories[0].saturday(FIRST), histories[0].saturday(until - 1)
    result = norms.learn(weeks, (str(span[0]), str(span[1])), judge.RULES)
    return replace(result, probe={str(span[1]): sum(s.value for s in weeks[0][-1])})


def looked(past: History, week: int, invariants: Invariants) -> list[Statistic]:
    """The statistics of one week, with forecasts and truth as they were then."""
    return judge.statistics(past.window(week), invariants, past.record(week))
