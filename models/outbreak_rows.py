"""Rows of the outbreak forecaster's training set: its columns, checks, and what may be learned."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from models.members import MIN_ROWS
from models.network_forecaster import RECENT
from yupana.core.errors import TerminalError
from yupana.features import splits

FEATURE_SERVICE = "outbreak_v2"
HORIZONS = tuple(range(1, 9))
TARGETS = tuple(f"target_{h}" for h in HORIZONS)
_NOT_FEATURES = {"ubigeo", "event_timestamp", "part", *TARGETS}


def feature_names(frame: pd.DataFrame) -> tuple[str, ...]:
    """The feature columns of a training set: all that are not key, time, target or part."""
    return tuple(str(c) for c in frame.columns if c not in _NOT_FEATURES)


def _checked(frame: pd.DataFrame, part: str) -> pd.DataFrame:
    """The rows of a part, fit to be learned from.

    Raises:
        TerminalError: columns are missing, rows are too few, or a feature is not a number.
    """
    absent = sorted({*_NOT_FEATURES, *RECENT} - set(frame.columns))
    if absent:
        raise TerminalError(
            f"The training set lacks columns: {', '.join(absent)}.",
            where="outbreak training set",
            fix=f"Build it from the feature service {FEATURE_SERVICE}.",
        )
    rows = frame[frame["part"] == part]
    if len(rows) < MIN_ROWS:
        raise TerminalError(
            f"The {part} part has {len(rows)} rows; fitting needs at least {MIN_ROWS}.",
            where="outbreak training set, column part",
            fix="Split a longer period, or publish more weeks of data first.",
        )
    features = list(feature_names(frame))
    values = rows[features].to_numpy(dtype=float)
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        first = rows.iloc[row]
        raise TerminalError(
            f"The {part} part has {int((~np.isfinite(values)).sum())} features without a number.",
            where=f"column {features[column]}, ubigeo {first['ubigeo']}, "
            f"{first['event_timestamp']}",
            fix="Leave out the origins whose lags reach before the first published week.",
        )
    return rows


class Learnable(NamedTuple):
    """A training set as members use it: what may be learned, and its last origin."""

    train: pd.DataFrame
    validation: pd.DataFrame
    everything: pd.DataFrame
    last: pd.Timestamp


def learnable(frame: pd.DataFrame) -> Learnable:
    """Part `test` is not looked at; the rest is what is known when the validation weeks end."""
    train, held_out = _checked(frame, "train"), _checked(frame, "validation")
    last = held_out["event_timestamp"].max()
    end = last + pd.Timedelta(weeks=max(HORIZONS))
    everything = splits.known_at(frame[frame["part"] != "test"], end, HORIZONS)
    return Learnable(train, held_out, everything, last)
