"""A use case of a backtest whose final model costs nothing, beside the real baselines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from yupana.tasks.forecast.model.autoregression import Autoregression
from yupana.tasks.forecast.model.last_value import LastValue
from yupana.tasks.forecast.model.seasonal import Seasonal
from yupana.tasks.forecast.quantiles import Forecaster


class WithTotals(LastValue):
    """A stand-in for the final model: the baseline, with a total of its own."""

    def totals(self, features: pd.DataFrame, levels: Sequence[float]) -> np.ndarray[Any, Any]:
        assert features["entity"].str[:2].nunique() == features["event_timestamp"].nunique() == 1
        return self.quantiles(features, levels).sum(axis=0)


class Room:
    """The real baselines and the stand-in; remembers what it was given to learn from."""

    final = "stand_in"

    def __init__(self, horizons: Sequence[int] = range(1, 9)) -> None:
        self.given: list[pd.DataFrame] = []
        self.reach = horizons

    def fit(self, frame: pd.DataFrame, out: Path, *, seed: int, say: Any) -> dict[str, Any]:
        self.given.append(frame)
        frame.to_parquet(out / "frame.parquet")
        return {}

    def load(self, folder: Path) -> Forecaster:
        return WithTotals(pd.read_parquet(folder / "frame.parquet"), self.reach)

    def baselines(self, frame: pd.DataFrame) -> dict[str, Forecaster]:
        train = frame[frame["part"] == "train"]
        return {
            "last_value": LastValue(train, self.reach),
            "seasonal": Seasonal(train, self.reach),
            "ar": Autoregression(train, self.reach),
        }
