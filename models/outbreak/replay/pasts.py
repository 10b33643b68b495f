"""The pasts of one department: its years, once for each way of reporting late."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from models.outbreak.replay import history, lateness
from models.outbreak.replay.history import FIRST, Counts, History
from yupana.core.errors import UsageError
from yupana.tasks.forecast.checks.past import by_year
from yupana.tasks.forecast.quantiles import Forecaster
from yupana.tasks.forecast.usecases import ForecastUseCase

if TYPE_CHECKING:
    import polars as pl

LATE = (lateness.STEADY, lateness.HOLIDAYS, lateness.SLOWING)

LEARNED = 1000
"""Added to the seed of the pasts that norms are learned from: they are never those watched."""

Model = Callable[[int], Forecaster]


def loreto(table: pl.DataFrame) -> pl.DataFrame:
    """The rows of the department whose provinces `history.PERSONS` counts."""
    import polars as pl

    return table.filter(pl.col("entity").str.starts_with("16"))


def before(
    table: pl.DataFrame, definition: ForecastUseCase, year: int, *, seed: int,
    say: Callable[[str], None],
) -> list[History]:  # fmt: skip
    """The years before one, and nothing later.

    Args:
        table: `entity`, `week_start` (Sunday), `cases` of one department.

    Raises:
        UsageError: too few years before `year`.
    """
    counts = history.counts_of(table)
    until = history.first_week(counts, year)
    if until < FIRST + 104:
        raise UsageError(
            f"There are {until} weeks before {year}; norms need {FIRST + 104} or more.",
            where="the first year that is watched",
            fix="Give a later year.",
        )
    past, span = history.before(counts, until), range(FIRST, until)
    model = by_year(definition, history.final(past, definition), year)
    return build(past, definition, model, LATE, seed=seed + LEARNED, span=span, say=say)


def build(
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
