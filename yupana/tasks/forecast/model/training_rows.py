"""Rows of a training set: its columns, checks, and what may be learned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from yupana.core.errors import TerminalError
from yupana.tasks.forecast import frequency
from yupana.tasks.forecast.dataset.cutoff import known_at
from yupana.tasks.forecast.model.network_forecaster import RECENT
from yupana.tasks.forecast.options import MIN_ROWS

_TARGET = "target_"
_NOT_FEATURES = {"entity", "event_timestamp", "part"}


def horizons_of(frame: pd.DataFrame) -> tuple[int, ...]:
    """The periods ahead whose counts a training set holds, ascending."""
    suffixes = (str(c).removeprefix(_TARGET) for c in frame.columns if str(c).startswith(_TARGET))
    return tuple(sorted(int(h) for h in suffixes))


def targets(horizons: Sequence[int]) -> list[str]:
    """The columns that hold the counts of these periods ahead."""
    return [f"{_TARGET}{h}" for h in horizons]


def feature_names(frame: pd.DataFrame) -> tuple[str, ...]:
    """The feature columns of a training set: all that are not key, time, target or part."""
    others = _NOT_FEATURES | set(targets(horizons_of(frame)))
    return tuple(str(c) for c in frame.columns if c not in others)


def _checked(frame: pd.DataFrame, part: str) -> pd.DataFrame:
    """The rows of a part, fit to be learned from.

    Raises:
        TerminalError: columns are missing, rows are too few, or a feature is not a number.
    """
    absent = sorted({*_NOT_FEATURES, *RECENT} - set(frame.columns))
    absent += [] if horizons_of(frame) else [f"{_TARGET}1"]
    if absent:
        raise TerminalError(
            f"The training set lacks columns: {', '.join(absent)}.",
            where="training set",
            fix="Build it from the feature service of the use case: yupana split.",
        )
    rows = frame[frame["part"] == part]
    if len(rows) < MIN_ROWS:
        periods = max(1, rows["event_timestamp"].nunique())
        raise TerminalError(
            f"The {part} part has {len(rows)} rows; fitting needs at least {MIN_ROWS}.",
            where="training set, column part",
            fix=f"Parts have {periods} periods of each entity: publish the counts of "
            f"{math.ceil(MIN_ROWS / periods)} entities or more.",
        )
    features = list(feature_names(frame))
    values = rows[features].to_numpy(dtype=float)
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        first = rows.iloc[row]
        raise TerminalError(
            f"The {part} part has {int((~np.isfinite(values)).sum())} features without a number.",
            where=f"column {features[column]}, entity {first['entity']}, "
            f"{first['event_timestamp']}",
            fix="Leave out the origins whose lags reach before the first published period.",
        )
    return rows


class Learnable(NamedTuple):
    """A training set as members use it.

    Attributes:
        train, validation: the parts of these names; the second chooses options (`model.tuning`).
        before_test: all that was known when the validation part ended.
        test: origins of the part `test` whose targets are known, thinned as those of past years
            are; empty where there is none.
        complete: all that is known, the test part among it.
        last: the last origin of the validation part.
        horizons: periods ahead.
    """

    train: pd.DataFrame
    validation: pd.DataFrame
    before_test: pd.DataFrame
    test: pd.DataFrame
    complete: pd.DataFrame
    last: pd.Timestamp
    horizons: tuple[int, ...]


def learnable(frame: pd.DataFrame) -> Learnable:
    """What may be learned of a training set.

    Raises:
        TerminalError: columns are missing, rows are too few, or a feature is not a number.
    """
    train, held_out = _checked(frame, "train"), _checked(frame, "validation")
    last = held_out["event_timestamp"].max()
    horizons, period = horizons_of(frame), frequency.of(frame.columns)
    end = last + period.offset(max(horizons))
    before_test = known_at(frame[frame["part"] != "test"], end, horizons)
    test = frame[frame["part"] == "test"].dropna(subset=targets(horizons))
    times = sorted(test["event_timestamp"].unique())[:: period.thinning]
    thinned = test[test["event_timestamp"].isin(times)]
    if test.empty:
        return Learnable(train, held_out, before_test, thinned, before_test, last, horizons)
    complete = frame.dropna(subset=targets(horizons), how="all")
    return Learnable(train, held_out, before_test, thinned, complete, last, horizons)
