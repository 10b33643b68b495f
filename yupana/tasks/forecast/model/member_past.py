"""What members fitted before each of the last years would have forecast of it, beside what came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from yupana.core.errors import TerminalError
from yupana.tasks.forecast.dataset.cutoff import YEARS
from yupana.tasks.forecast.model import members, recalibration, store
from yupana.tasks.forecast.model.training_rows import Learnable, horizons_of, targets
from yupana.tasks.forecast.quantiles import Forecaster

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class MemberPast:
    """Past years, the newest first.

    Attributes:
        origins: of each year its rows, with features and targets (NaN where not known).
        forecasts: of each year, by member, quantiles at `recalibration.GRID`, shape (rows,
            horizons, levels).
    """

    origins: tuple[pd.DataFrame, ...]
    forecasts: tuple[dict[str, Array], ...]

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The origins of all years."""
        return pd.concat(self.origins, ignore_index=True)

    @property
    def observed(self) -> Array:
        """The counts that came, shape (rows, horizons); NaN where not known."""
        return self.rows[targets(horizons_of(self.rows))].to_numpy(dtype=float)

    @property
    def by_member(self) -> dict[str, Array]:
        """The quantiles of all years, in the order of `rows`."""
        return {
            name: np.concatenate([year[name] for year in self.forecasts])
            for name in self.forecasts[0]
        }

    def followed_by(
        self, origins: pd.DataFrame, fitted: Mapping[str, Forecaster]
    ) -> MemberPast:
        """With a newer year in place of the oldest, where there are `YEARS` of them.

        Args:
            fitted: by member, before that year.
        """
        levels = recalibration.GRID.tolist()
        newest = {name: member.quantiles(origins, levels) for name, member in fitted.items()}
        return MemberPast(
            (origins, *self.origins)[:YEARS], (newest, *self.forecasts)[:YEARS]
        )


def read(rows: Learnable, folders: Mapping[str, Path]) -> MemberPast:
    """What members left in their folders.

    Args:
        rows: of the training set that they were fitted on.
        folders: by member, those that `model.fit_member` wrote to.

    Raises:
        TerminalError: they were fitted on another training set.
    """
    years = members.past_years(rows.before_test, rows.last, rows.horizons)
    origins = tuple(of_year for _, of_year in years)
    ends = np.cumsum([len(of_year) for of_year in origins])
    everything = reduce(or_, (store.load_past(folder) for folder in folders.values()))
    if any(len(quantiles) != ends[-1] for quantiles in everything.values()):
        raise TerminalError(
            "The members told of other weeks than this training set holds.",
            where=", ".join(str(folder) for folder in folders.values()),
            fix="Fit every member on the split that the pool is made on.",
        )
    by_year = {name: np.split(quantiles, ends[:-1]) for name, quantiles in everything.items()}
    forecasts = tuple(
        {name: parts[i] for name, parts in by_year.items()} for i in range(len(origins))
    )
    return MemberPast(origins, forecasts)
