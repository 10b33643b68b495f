"""One small network for all districts: negative-binomial counts for each week ahead.

Global count forecasting after DeepAR (Salinas et al. 2020, Int J Forecast 36:1181): one set of
weights learns from every district, and a short embedding lets a district depart from the pool.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from yupana.core.errors import TerminalError

RECENT = tuple(f"cases_lag_{lag}" for lag in range(4))
"""The weeks whose mean is the forecast that the network corrects."""

POOLED = 0
"""Embedding row of a district that was not in training."""

WEIGHTS, DESCRIPTION = "weights.safetensors", "model.json"


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
    """

    def __init__(self, features: int, districts: int, horizons: int) -> None:
        super().__init__()
        self.horizons = horizons
        self.district = nn.Embedding(districts + 1, 6)
        nn.init.normal_(self.district.weight, std=0.05)
        self.body = nn.Sequential(
            nn.Linear(features + 6, 64), nn.SiLU(), nn.Dropout(0.1),
            nn.Linear(64, 64), nn.SiLU(), nn.Dropout(0.1),
            nn.Linear(64, 2 * horizons),
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
    """A fitted network as a `yupana.core.forecast.Forecaster`."""

    def __init__(self, network: CountNetwork, description: Description) -> None:
        # Double precision: the same row gives the same integers in any batch and order.
        self._network = network.double().eval()
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
            log_mean, log_dispersion = self._network(*self.description.encode(features))
        mean, size = log_mean.exp().numpy(), (-log_dispersion).exp().numpy()
        counts = nbinom.ppf(np.asarray(levels), size[..., None], (size / (size + mean))[..., None])
        return np.asarray(counts, dtype=float)


def save(network: CountNetwork, description: Description, folder: Path) -> None:
    """Write the two files of a fitted model to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {k: v.detach().float().contiguous() for k, v in network.state_dict().items()}
    save_file(state, folder / WEIGHTS)
    text = json.dumps(asdict(description), indent=1, ensure_ascii=False)
    (folder / DESCRIPTION).write_text(text + "\n", encoding="utf-8")


def load(folder: Path) -> NetworkForecaster:
    """Read a fitted model from its folder.

    Raises:
        TerminalError: the folder does not hold a model.
    """
    try:
        stored = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        state = load_file(folder / WEIGHTS)
    except FileNotFoundError as error:
        raise TerminalError(
            "The folder holds no fitted model.",
            where=str(error.filename or folder),
            fix="Fit it first: yupana train <use case>.",
        ) from error
    description = Description(
        **{k: tuple(v) if isinstance(v, list) else v for k, v in stored.items()}
    )
    network = CountNetwork(
        len(description.features), len(description.districts), len(description.horizons)
    )
    network.load_state_dict(state)
    return NetworkForecaster(network, description)
