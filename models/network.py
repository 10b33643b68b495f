"""One small network for all districts: negative-binomial counts for each week ahead.

Global count forecasting after DeepAR (Salinas et al. 2020, Int J Forecast 36:1181): one set of
weights learns from every district, and a short embedding lets a district depart from the pool.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from yupana.core.errors import TerminalError

RECENT = tuple(f"cases_lag_{lag}" for lag in range(4))
"""The weeks whose mean is the forecast that the network corrects."""

POOLED = 0
"""Embedding row of a district that was not in training."""


@dataclass(frozen=True)
class Options:
    """What tuning may choose of the network and its training.

    Attributes:
        width: of both hidden layers.
        dropout: share of hidden units that a training step leaves out.
        learning_rate: of AdamW.
        weight_decay: of AdamW.
    """

    width: int = 64
    dropout: float = 0.3
    learning_rate: float = 1e-3
    weight_decay: float = 1e-3


SEARCH: Mapping[str, list[int] | tuple[float, float]] = {
    "width": [32, 64, 128],
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

    def encode(self, frame: pd.DataFrame) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Inputs of the network: standardised features, log1p of recent mean, district index.

        Shapes (rows, features), (rows,), (rows,); double precision.

        Raises:
            TerminalError: a feature column is absent or holds a value that is not a number.
        """
        missing = [name for name in (*self.features, "ubigeo") if name not in frame]
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
                where=f"column {self.features[column]}, ubigeo {frame['ubigeo'].iloc[row]}",
                fix="Materialise the features of this week, or leave the row out.",
            )
        scaled = np.where(self.log_scaled, np.log1p(np.maximum(values, 0)), values)
        scaled = (scaled - np.array(self.means)) / np.array(self.scales)
        recent = values[:, [self.features.index(name) for name in RECENT]].mean(axis=1)
        index = {ubigeo: i for i, ubigeo in enumerate(self.districts, start=1)}
        district = [index.get(str(ubigeo), POOLED) for ubigeo in frame["ubigeo"]]
        return (
            torch.from_numpy(scaled),
            torch.from_numpy(np.log1p(recent)),
            torch.tensor(district, dtype=torch.long),
        )


class CountNetwork(nn.Module):
    """MLP on features and a district embedding; gives log mean and log dispersion.

    Args:
        features: number of features.
        districts: number of districts in training, the pooled one not counted.
        horizons: number of weeks ahead.
        options: width and dropout are used.
    """

    def __init__(
        self, features: int, districts: int, horizons: int, options: Options | None = None
    ) -> None:
        super().__init__()
        options = options or Options()
        width = options.width
        self.horizons = horizons
        self.district = nn.Embedding(districts + 1, 6)
        nn.init.normal_(self.district.weight, std=0.05)
        self.body = nn.Sequential(
            nn.Linear(features + 6, width), nn.SiLU(), nn.Dropout(options.dropout),
            nn.Linear(width, width), nn.SiLU(), nn.Dropout(options.dropout),
            nn.Linear(width, 2 * horizons),
        )  # fmt: skip

    def forward(
        self, features: torch.Tensor, recent: torch.Tensor, district: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Log mean m and log dispersion d, (rows, horizons) each; variance = m + d·m²."""
        hidden = self.body(torch.cat([features, self.district(district)], dim=1))
        change, log_dispersion = hidden.split(self.horizons, dim=1)
        # The bounds (a factor of 400 either way) only keep a far-off input from overflowing.
        return recent[:, None] + change.clamp(-6, 6), log_dispersion.clamp(-6, 4)


class NetworkForecaster:
    """Fitted networks as one `yupana.core.forecast.Forecaster`.

    They differ by their seed; their parameters are averaged, which is steadier than any of them.
    """

    def __init__(self, networks: Sequence[CountNetwork], description: Description) -> None:
        # Double precision: the same row gives the same integers in any batch and order.
        self.networks = [network.double().eval() for network in networks]
        self._known = frozenset(description.districts)
        self.description = description
        self.horizons: Sequence[int] = description.horizons

    def knows(self, ubigeo: str) -> bool:
        """Whether the district was in training; others get a pooled forecast."""
        return ubigeo in self._known

    def quantiles(
        self, features: pd.DataFrame, levels: Sequence[float]
    ) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Counts of shape (rows, horizons, levels), non-negative, rising along levels."""
        from scipy.stats import nbinom

        with torch.no_grad():
            inputs = self.description.encode(features)
            told = [torch.stack(network(*inputs)) for network in self.networks]
            log_mean, log_dispersion = torch.stack(told).mean(dim=0)
        mean, size = log_mean.exp().numpy(), (-log_dispersion).exp().numpy()
        counts = nbinom.ppf(np.asarray(levels), size[..., None], (size / (size + mean))[..., None])
        return np.asarray(counts, dtype=float)


def state(networks: Sequence[CountNetwork]) -> dict[str, torch.Tensor]:
    """The weights of all networks, single precision, by `network.<number>.<name>`."""
    return {
        f"network.{i}.{k}": v.detach().float().contiguous()
        for i, network in enumerate(networks)
        for k, v in network.state_dict().items()
    }


def restore(stored: Mapping[str, torch.Tensor], description: Description) -> NetworkForecaster:
    """The forecaster of the weights that `state` gave."""
    sizes = len(description.features), len(description.districts), len(description.horizons)
    networks = []
    for i in range(1 + max(int(k.split(".")[1]) for k in stored)):
        prefix = f"network.{i}."
        options = Options(width=len(stored[f"{prefix}body.0.bias"]))
        network = CountNetwork(*sizes, options)
        network.load_state_dict({k.removeprefix(prefix): v for k, v in stored.items()
                                 if k.startswith(prefix)})  # fmt: skip
        networks.append(network)
    return NetworkForecaster(networks, description)
