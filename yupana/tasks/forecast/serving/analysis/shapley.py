"""The features by what they tell of, and each group's part in a forecast: exact Shapley values.

Shapley 1953 (Contributions to the Theory of Games II:307) splits the difference between two
forecasts so that the parts sum to it and no order of the groups is preferred. With few groups
every subset is asked for, in one call; nothing is sampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
import pandas as pd

from yupana.tasks.forecast.feature_groups import OTHER, Group, group_of
from yupana.tasks.forecast.quantiles import Forecaster

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Parts:
    """A forecast's median beside the usual one, and what each group adds.

    Attributes:
        groups: those that the model reads.
        median: cases of the forecast.
        usual: mean over the background of its medians, cases.
        cases: by group, summing to `median - usual`.
        usual_log: mean over the background of log1p of its medians.
        logs: by group, summing to `log1p(median) - usual_log`.
        without: by group, mean cases with the background in the place of that group alone.
    """

    groups: tuple[Group, ...]
    median: float
    usual: float
    cases: Array
    usual_log: float
    logs: Array
    without: Array


def parts(
    forecaster: Forecaster, groups: Sequence[Group], row: pd.DataFrame,
    background: pd.DataFrame, features: Sequence[str], horizon: int,
) -> Parts:  # fmt: skip
    """What each group of features adds to the median, against a background.

    Args:
        groups: of the use case.
        row: one row of features, with `ENTITY` and `event_timestamp`.
        background: rows of the same columns that the forecast is compared with.
        features: names that the model reads, `ENTITY` and `event_timestamp` among them.
        horizon: periods ahead.
    """
    mine = tuple(
        g for g in (*groups, OTHER) if any(group_of(groups, f) is g for f in set(features))
    )
    counts = forecaster.quantiles(_mixed(row, background, mine, groups), (0.5,))
    medians = counts[:, list(forecaster.horizons).index(horizon), 0]
    by_subset = medians.reshape(2 ** len(mine), len(background))
    # Shape (subsets, 2): every subset's worth in cases and in logs, mean over the background.
    worth = np.stack([by_subset.mean(axis=1), np.log1p(by_subset).mean(axis=1)], axis=1)
    added = shapley(worth)
    everything = len(worth) - 1
    lacking = [everything - (1 << i) for i in range(len(mine))]
    return Parts(
        mine, float(worth[-1, 0]), float(worth[0, 0]), added[:, 0],
        float(worth[0, 1]), added[:, 1], worth[lacking, 0],
    )  # fmt: skip


def shapley(worth: Array) -> Array:
    """Shapley values, shape (players, ...), of a game given by the worth of every subset.

    Args:
        worth: shape (2**players, ...); bit i of the first index says that player i is in it.
    """
    players = len(worth).bit_length() - 1
    subsets = np.arange(len(worth))
    sizes = np.array([int(s).bit_count() for s in subsets])
    weight = np.array([1 / (players * comb(players - 1, k)) for k in range(players)])
    values = []
    for i in range(players):
        without = subsets[subsets >> i & 1 == 0]
        gain = worth[without | 1 << i] - worth[without]
        values.append(np.tensordot(weight[sizes[without]], gain, axes=1))
    return np.array(values)


def _mixed(
    row: pd.DataFrame, background: pd.DataFrame, mine: Sequence[Group], groups: Sequence[Group]
) -> pd.DataFrame:
    """For each subset of `mine` the whole background, with the row's values in the subset."""
    both = pd.concat([row, background[row.columns]], ignore_index=True)
    subsets = np.repeat(np.arange(2 ** len(mine)), len(background))
    usual = np.tile(np.arange(1, len(both)), 2 ** len(mine))
    place = {group: i for i, group in enumerate(mine)}

    def column(name: str) -> Any:
        # A column that the model does not read has no group here, and no say.
        i = place.get(group_of(groups, name))
        from_row = np.zeros(len(usual), bool) if i is None else (subsets >> i & 1).astype(bool)
        return both[name].array.take(np.where(from_row, 0, usual))

    return pd.DataFrame({str(name): column(str(name)) for name in both})
