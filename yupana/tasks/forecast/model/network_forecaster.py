"""Forecasts of fitted networks, from their weights as arrays.

What serves, scores and explains needs no torch: only fitting imports it
(`yupana.tasks.forecast.model.network`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from yupana.core.errors import TerminalError
from yupana.tasks.forecast import negative_binomial

Array = np.ndarray[Any, np.dtype[np.float64]]
Index = np.ndarray[Any, np.dtype[np.int64]]
Weights = Mapping[str, Array]
"""Of one network: arrays by the name that `network.CountNetwork` gives them."""

LAYERS = ("body.0", "body.3", "body.6")
"""The linear layers of the network, SiLU between them."""

CHANGE, DISPERSION = (-6.0, 6.0), (-6.0, 4.0)
"""Bounds of the log change (a factor of 400 either way) and the log dispersion: they only keep a
far-off input from overflowing."""

RECENT = tuple(f"cases_lag_{lag}" for lag in range(4))
"""The periods whose mean is the forecast that the network corrects."""

POOLED = 0
"""Embedding row of a district that was not in training."""


@dataclass(frozen=True)
class Options:
    """What tuning may choose of the network and its training.

    Attributes:
        width: of both hidden layers.
        dropout: share of hidden units that a training step leaves out.
        learning_rate: of AdamW at the first step; at the last it is nothing.
        weight_decay: of AdamW.
    """

    width: int = 128
    dropout: float = 0.3
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2


SEARCH: Mapping[str, list[int] | tuple[float, float]] = {
    "width": [64, 128, 256],
    "dropout": (0.0, 0.5),
    "learning_rate": (3e-4, 1e-2),
    "weight_decay": (1e-5, 1e-1),
}
"""Where tuning looks for `Options`: a list to choose from, or a lowest and a highest value."""


@dataclass(frozen=True)
class Description:
    """All that is needed beside the weights to turn features into a forecast."""

    features: tuple[str, ...]
    log_scaled: tuple[bool, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]
    districts: tuple[str, ...]
    horizons: tuple[int, ...]
    feature_service: str
    trained_through: str
    lowest: tuple[float, ...]
    highest: tuple[float, ...]

    def encode(self, frame: pd.DataFrame) -> tuple[Array, Array, Index]:
        """Inputs of the network: standardised features, log1p of recent mean, district index.

        Shapes (rows, features), (rows,), (rows,); double precision.

        Raises:
            TerminalError: a feature column is absent or holds a value that is not a number.
        """
        missing = [name for name in (*self.features, "entity") if name not in frame]
        if missing:
            raise TerminalError(
                f"The forecast needs columns that are not there: {', '.join(missing)}.",
                where=f"features of {self.feature_service}",
                fix="Read the features through the feature service that the model names.",
            )
        values = frame[list(self.features)].to_numpy(dtype=float)
        if not np.isfinite(values).all():
            row, column = np.argwhere(~np.isfinite(values))[0]
            raise TerminalError(
                "A feature is not a number.",
                where=f"column {self.features[column]}, entity {frame['entity'].iloc[row]}",
                fix="Materialise the features of this period, or leave the row out.",
            )
        scaled = np.where(self.log_scaled, np.log1p(np.maximum(values, 0)), values)
        scaled = (scaled - np.array(self.means)) / np.array(self.scales)
        recent = values[:, [self.features.index(name) for name in RECENT]].mean(axis=1)
        index = {entity: i for i, entity in enumerate(self.districts, start=1)}
        district = [index.get(str(entity), POOLED) for entity in frame["entity"]]
        return scaled, np.log1p(recent), np.array(district, dtype=np.int64)


class NetworkForecaster:
    """Fitted networks as one `yupana.tasks.forecast.quantiles.Forecaster`.

    They differ by their seed; their parameters are averaged, which is steadier than any of them.
    """

    def __init__(self, networks: Sequence[Weights], description: Description) -> None:
        # Double precision: the same row gives the same integers in any batch and order.
        self._networks = [{k: np.asarray(v, dtype=float) for k, v in n.items()} for n in networks]
        self._known = frozenset(description.districts)
        self.description = description
        self.horizons: Sequence[int] = description.horizons

    def knows(self, entity: str) -> bool:
        """Whether the district was in training; others get a pooled forecast."""
        return entity in self._known

    def quantiles(self, features: pd.DataFrame, levels: Sequence[float]) -> Array:
        """Counts of shape (rows, horizons, levels), non-negative, rising along levels."""
        inputs = self.description.encode(features)
        log_mean, log_dispersion = np.mean([parameters(n, *inputs) for n in self._networks], axis=0)
        mean, size = np.exp(log_mean), np.exp(-log_dispersion)
        return negative_binomial.quantiles(
            levels, size[..., None], (size / (size + mean))[..., None]
        )

    def state(self) -> dict[str, np.ndarray[Any, np.dtype[np.float32]]]:
        """The weights of all networks, single precision, by `network.<number>.<name>`."""
        return {
            f"network.{i}.{name}": np.ascontiguousarray(values, dtype=np.float32)
            for i, network in enumerate(self._networks)
            for name, values in network.items()
        }


def restore(stored: Weights, description: Description) -> NetworkForecaster:
    """The forecaster of the weights that `NetworkForecaster.state` gave."""
    networks: dict[int, dict[str, Array]] = {}
    for key, values in stored.items():
        _, number, name = key.split(".", 2)
        networks.setdefault(int(number), {})[name] = values
    return NetworkForecaster([networks[i] for i in sorted(networks)], description)


def parameters(
    network: Weights, features: Array, recent: Array, district: Index
) -> tuple[Array, Array]:
    """Log mean m and log dispersion d, (rows, horizons) each, as `CountNetwork.forward`."""
    hidden = np.concatenate([features, network["district.weight"][district]], axis=1)
    for layer in LAYERS:
        hidden = hidden @ network[f"{layer}.weight"].T + network[f"{layer}.bias"]
        if layer != LAYERS[-1]:
            hidden = hidden / (1 + np.exp(-hidden))
    change, log_dispersion = np.split(hidden, 2, axis=1)
    return recent[:, None] + change.clip(*CHANGE), log_dispersion.clip(*DISPERSION)
