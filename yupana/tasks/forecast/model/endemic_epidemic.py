"""An endemic-epidemic regression of counts.

The mean of a count is a sum: what its own newest counts and its neighbours' bring (epidemic), and
what a place has in any year (endemic), each with a season of its own; counts vary about it as a
negative binomial (Held, Höhle, Hofmann 2005, Stat Modelling 5:187; Held, Paul 2012, Biom J
54:824; R package surveillance, `hhh4`). Here each horizon is fitted by itself: a forecast of
eight weeks is not one of a week, repeated. All districts of a department share coefficients, those
of a department with a past of its own learned from that alone: where dengue comes and goes,
counts fall back faster than where it never ends.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from yupana.core.errors import TerminalError
from yupana.tasks.forecast import frequency, negative_binomial
from yupana.tasks.forecast.model import areas, endemic_likelihood
from yupana.tasks.forecast.model.endemic_likelihood import Coefficients, Terms
from yupana.tasks.forecast.model.ridge import LAGS

Array = np.ndarray[Any, np.dtype[np.float64]]

NEIGHBOURS = 4
"""Newest counts of each group that are read."""

OWN = 1000
"""Counts above none that a department's own coefficients need. With as many, its own forecast
2016-2018 better in four of six departments of Peru; with fewer mostly those of the whole country
did, and from a handful of counts nothing can be learned."""

COMMON_ROWS = 50_000
"""Rows that the coefficients of several departments are learned from, at most, drawn at random:
more change little."""

COMMON = "common"
"""Name of those coefficients."""

SMALLEST = 0.02
"""Cases a period that the smallest place is taken to have when neighbours' counts reach it."""


@dataclass(frozen=True)
class Columns:
    """Which columns of a feature table are read.

    Attributes:
        means: columns of the entity's means over past periods.
        groups: what lags of sums are of, from the smallest to the largest; each is taken to hold
            the one before.
    """

    means: tuple[str, ...]
    groups: tuple[str, ...]


class EndemicEpidemic:
    """A `yupana.tasks.forecast.quantiles.Forecaster` for every district of a department alike.

    Args:
        columns: of the features.
        coefficients: by department, and `COMMON` for all others; of the horizons in their order,
            shape (horizons, parameters), as `endemic_likelihood.Coefficients` lays them out.
    """

    def __init__(self, columns: Columns, coefficients: Mapping[str, Array]) -> None:
        self.columns, self.coefficients = columns, coefficients
        self.horizons: Sequence[int] = tuple(range(1, len(coefficients[COMMON]) + 1))

    def knows(self, entity: str) -> bool:
        """Every district is answered, also one that was not in training."""
        return bool(entity)

    def quantiles(self, features: pd.DataFrame, levels: Sequence[float]) -> Array:
        """Counts of shape (rows, horizons, levels), non-negative, rising along levels."""
        answers = np.empty((len(features), len(self.horizons), len(levels)))
        departments = areas.codes(features, areas.DEPARTMENT).to_numpy()
        for department in np.unique(departments):
            mine = departments == department
            flat = self.coefficients.get(department, self.coefficients[COMMON])
            answers[mine] = _quantiles(terms_of(features[mine], self.columns), flat, levels)
        return answers


def _quantiles(terms: Terms, coefficients: Array, levels: Sequence[float]) -> Array:
    answers = []
    for flat in coefficients:
        mean, size = Coefficients.of(flat, terms).distribution(terms)
        share = (size / (size + mean))[:, None]
        answers.append(negative_binomial.quantiles(levels, size[:, None], share))
    return np.stack(answers, axis=1)


def fit(rows: pd.DataFrame, horizons: Sequence[int]) -> EndemicEpidemic:
    """Fit on rows with `LAGS`, means, season and `target_<h>` (NaN where not known)."""
    columns, departments = columns_of(rows), areas.codes(rows, areas.DEPARTMENT).to_numpy()
    above_none = (rows[f"target_{min(horizons)}"] > 0).groupby(departments).sum()
    if len(above_none) == 1:
        return EndemicEpidemic(columns, {COMMON: _fit(rows, columns, horizons)})
    coefficients = {COMMON: _fit(_draw(rows), columns, horizons)}
    for department in above_none.index[above_none >= OWN]:
        coefficients[str(department)] = _fit(rows[departments == department], columns, horizons)
    return EndemicEpidemic(columns, coefficients)


def _draw(rows: pd.DataFrame) -> pd.DataFrame:
    if len(rows) <= COMMON_ROWS:
        return rows
    drawn = np.random.default_rng(0).choice(len(rows), COMMON_ROWS, replace=False)
    return rows.iloc[np.sort(drawn)]


def _fit(rows: pd.DataFrame, columns: Columns, horizons: Sequence[int]) -> Array:
    terms, flat, all_of = terms_of(rows, columns), None, []
    for horizon in horizons:
        counts = rows[f"target_{horizon}"].to_numpy(dtype=float)
        finite = ~np.isnan(counts)
        # One period further ahead is much the same: the search starts from the horizon before.
        flat = endemic_likelihood.maximise(terms.of(finite), counts[finite], flat)
        all_of.append(flat)
    return np.array(all_of)


def columns_of(rows: pd.DataFrame) -> Columns:
    """The columns that a feature table has for this model: `mean_<periods>`, and of each group
    `<group>_lag_0` and the three before it."""
    names = [str(c) for c in rows.columns]
    means = sorted((c for c in names if re.fullmatch(r"mean_\d+", c)), key=lambda c: int(c[5:]))
    newest = (c.removesuffix("_lag_0") for c in names if c.endswith("_lag_0"))
    groups = [g for g in newest if g != "cases" and set(_lags(g)) <= set(names)]
    groups.sort(key=lambda group: float(rows[f"{group}_lag_0"].mean()))
    return Columns(tuple(means), tuple(groups))


def terms_of(rows: pd.DataFrame, columns: Columns) -> Terms:
    """Own lags and what neighbours bring, means and a constant, two harmonics of the year.

    Raises:
        TerminalError: a column is absent or holds a value that is not a number.
    """
    _require(rows, [*LAGS, *columns.means, *(lag for g in columns.groups for lag in _lags(g))])
    own = rows[list(LAGS)].to_numpy(dtype=float)
    means = rows[list(columns.means)].to_numpy(dtype=float)
    # A place of a tenth of the cases gets a third of what reaches one of as many (gravity).
    place = means[:, -1:] + SMALLEST
    inner, epidemic = own[:, :NEIGHBOURS], [own]
    for group in columns.groups:
        sums = rows[_lags(group)].to_numpy(dtype=float)
        epidemic.append(np.sqrt(np.maximum(sums - inner, 0.0) * place))
        inner = sums
    return Terms(
        epidemic=np.column_stack(epidemic),
        endemic=np.column_stack([means, np.ones(len(rows))]),
        season=frequency.of(rows.columns).harmonics(rows),
    )


def _lags(group: str) -> list[str]:
    return [f"{group}_lag_{k}" for k in range(NEIGHBOURS)]


def _require(rows: pd.DataFrame, columns: Sequence[str]) -> None:
    for column in columns:
        if column not in rows or not np.isfinite(rows[column].to_numpy(dtype=float)).all():
            raise TerminalError(
                "A feature of the regression is absent, or holds a value that is not a number.",
                where=f"features, column {column}",
                fix="Build the features again: yupana features <use case>.",
            )
