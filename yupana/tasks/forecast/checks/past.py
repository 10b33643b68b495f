"""The past of counts that come at once: what was known in a period is what is known of it now.

Its forecasts are the regression's, which is fitted in a second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from yupana.core.errors import TerminalError
from yupana.core.usecase import Tables
from yupana.tasks.forecast.checks.invariants import reach
from yupana.tasks.forecast.checks.record import Record
from yupana.tasks.forecast.checks.window import SCALES, Array, Window
from yupana.tasks.forecast.dataset import training_set
from yupana.tasks.forecast.quantiles import QUANTILES, Forecaster
from yupana.tasks.forecast.usecases import REPORTING, ForecastUseCase

if TYPE_CHECKING:
    import polars as pl

FEWEST_YEARS = 4
"""Years of features that norms are learned from at the least: a tail needs peaks."""


@dataclass(frozen=True)
class PromptPast:
    """See `learn.Past`.

    Attributes:
        whole: window of all periods.
        reach: periods back that checks look.
        quantiles: shape (periods, entities, horizons, levels); NaN where there is no row.
        truth: cases, shape (periods, entities).
    """

    whole: Window
    reach: int
    quantiles: Array
    truth: Array

    @property
    def periods(self) -> range:
        """All of them."""
        return range(len(self.whole))

    def window(self, period: int) -> Window:
        """The periods up to one."""
        kind, back = self.whole.frequency, period - len(self.whole) + 1
        return Window(
            kind, kind.ahead(self.whole.end, back), self.whole.entities, self.whole.columns,
            self.whole.values[self._span(period)],
        )  # fmt: skip

    def record(self, period: int) -> Record:
        """Their forecasts, and what came in them."""
        return Record(self.quantiles[self._span(period)], self.truth[self._span(period)])

    def _span(self, period: int) -> slice:
        return slice(max(0, period - self.reach + 1), period + 1)


def of(definition: ForecastUseCase, tables: Tables, before: int) -> PromptPast:
    """The years before one, and nothing later.

    Args:
        tables: as `ForecastUseCase.features` takes them.

    Raises:
        TerminalError: too few years before `before`.
    """
    import polars as pl

    period, name = definition.frequency, definition.counted
    counts = tables[name].filter(pl.col(period.column) < date(before, 1, 1))
    others = {k: v for k, v in tables.items() if k not in (name, REPORTING)}
    features = definition.features({**others, name: counts}).sort("event_timestamp", "entity")
    ends = features["event_timestamp"].dt.date()
    if ends.n_unique() < FEWEST_YEARS * period.year:
        raise TerminalError(
            f"There are {ends.n_unique()} {period.listing} of features before {before}.",
            where=f"published/{name}",
            fix=f"Give a later year (--before): norms need {FEWEST_YEARS} years or more.",
        )
    invariants = definition.invariants()
    columns, entities = tuple(invariants), tuple(sorted(features["entity"].unique()))
    first, last, place = ends.min(), ends.max(), {u: i for i, u in enumerate(entities)}
    assert isinstance(first, date) and isinstance(last, date)
    index = {day: period.between(first, day) for day in ends.unique()}
    at = np.array([index[day] for day in ends]), np.array([place[u] for u in features["entity"]])
    shape = (index[last] + 1, len(entities))
    values = np.full((*shape, len(columns)), np.nan)
    values[at] = features.select(pl.col(columns).cast(pl.Float64)).to_numpy()
    quantiles = np.full((*shape, len(definition.horizons), len(QUANTILES)), np.nan)
    quantiles[at] = _forecasts(definition, features, before)
    truth = np.full(shape, np.nan)
    truth[at] = features["cases_lag_0"].to_numpy()
    whole = Window(period, last, entities, columns, values)
    return PromptPast(whole, reach(invariants), quantiles, truth)


def by_year(
    definition: ForecastUseCase, features: pl.DataFrame, before: int
) -> Callable[[int], Forecaster]:
    """The forecaster of a year: fitted anew each year on all years before it, as the platform
    trains; for years before `before` on all of these but the year itself.

    Norms are learned from forecasts of years that the model did not see, as it will not have
    seen those that it is watched in.

    Args:
        features: of the final counts.
        before: first year that is watched.
    """
    horizons, period = definition.horizons, definition.frequency
    rows = training_set.with_targets(features.to_pandas(), max(horizons))
    years = rows["event_timestamp"].dt.year
    # The year in which the last target of a row is fully reported.
    whole = period.offset(max(horizons) + SCALES[period.name].late)
    complete = (rows["event_timestamp"] + whole).dt.year
    from yupana.tasks.forecast.model.autoregression import Autoregression

    @lru_cache
    def of(year: int) -> Forecaster:
        # The targets of a year's end lie in the next one, so that both sides are left out.
        others = (years < year - 1) | ((years > year) & (complete < before))
        apart = others if year < before else complete < year
        model: Forecaster = Autoregression(rows[apart], horizons)
        return model

    return of


def _forecasts(definition: ForecastUseCase, features: pl.DataFrame, before: int) -> Array:
    """Of each row, shape (rows, horizons, levels): each year by a model that did not see it."""
    model = by_year(definition, features, before)
    rows = features.to_pandas()
    years = rows["event_timestamp"].dt.year.to_numpy()
    quantiles = np.empty((len(rows), len(definition.horizons), len(QUANTILES)))
    for year in np.unique(years):
        quantiles[years == year] = model(int(year)).quantiles(rows[years == year], QUANTILES)
    return quantiles
