"""The forecasters of a replay: the regression baseline, which is fitted in a second."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from yupana.core import usecase
from yupana.core.forecast import Forecaster
from yupana.features import training
from yupana.monitoring.replay.history import Counts

if TYPE_CHECKING:
    import pandas as pd

NAME = "autoregression"
HORIZONS = range(1, training.HORIZONS + 1)


def by_year(
    counts: Counts, features: Callable[..., object], before: int
) -> Callable[[int], Forecaster]:
    """The forecaster of a year: all years before `before`, for those before it without itself.

    Norms are learned from forecasts of years that the model did not see, as it will not have
    seen those that it is watched in.

    Args:
        counts: final.
        features: the use case's feature builder.
        before: first year that is watched.
    """
    rows = _rows(counts, features, before)
    years = rows["event_timestamp"].dt.year
    fit = usecase.load("models", NAME).Autoregression

    @lru_cache
    def of(year: int) -> Forecaster:
        # The targets of a year's end lie in the next one, so that both sides are left out.
        apart = (years < year - 1) | (years > year) if year < before else years < before
        made: Forecaster = fit(rows[apart], HORIZONS)
        return made

    return of


def _rows(counts: Counts, features: Callable[..., object], before: int) -> pd.DataFrame:
    import polars as pl

    weeks = [w for w in counts.weeks if w < date(before, 1, 1)]
    cases = counts.cases[:, : len(weeks)]
    there = [i for i, row in enumerate(cases) if row.any()]
    table = pl.DataFrame(
        {
            "ubigeo": np.repeat([counts.ubigeos[i] for i in there], len(weeks)),
            "week_start": np.tile(np.array(weeks, "datetime64[D]"), len(there)),
            "cases": cases[there].ravel(),
        }
    )
    made: pl.DataFrame = features({"dengue_linelist": table})  # type: ignore[assignment]
    return training.with_targets(made.to_pandas())
