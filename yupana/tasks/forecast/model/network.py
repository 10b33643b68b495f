"""One small network for all districts: negative-binomial counts for each week ahead.

Global count forecasting after DeepAR (Salinas et al. 2020, Int J Forecast 36:1181): one set of
weights learns from every district, and a short embedding lets a district depart from the pool.
"""

from __future__ import annotations

import torch
from torch import nn

from yupana.tasks.forecast.model.network_forecaster import (
    CHANGE,
    DISPERSION,
    POOLED,
    Options,
    Weights,
)

__all__ = ["POOLED", "CountNetwork", "Options", "weights"]


class ByteDropout(nn.Module):
    """Dropout that draws one byte for a hidden unit.

    `nn.Dropout` draws a float for each, which on a CPU takes a quarter of a training step of so
    small a network.

    Args:
        share: of units that a step leaves out; taken to the next 256th.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self._dropped = round(256 * share)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Units left out are 0, the others larger by as much: the same mean. Shape as `hidden`."""
        if not self.training or not self._dropped:
            return hidden
        words = torch.empty(-(-hidden.numel() // 8), dtype=torch.int64, device=hidden.device)
        draws = words.random_(torch.iinfo(torch.int64).min, None).view(torch.uint8)
        mask = draws[: hidden.numel()].view_as(hidden) >= self._dropped
        return hidden * mask.to(hidden.dtype).mul_(256 / (256 - self._dropped))


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
            nn.Linear(features + 6, width), nn.SiLU(), ByteDropout(options.dropout),
            nn.Linear(width, width), nn.SiLU(), ByteDropout(options.dropout),
            nn.Linear(width, 2 * horizons),
        )  # fmt: skip

    def forward(
        self, features: torch.Tensor, recent: torch.Tensor, district: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Log mean m and log dispersion d, (rows, horizons) each; variance = m + d·m²."""
        hidden = self.body(torch.cat([features, self.district(district)], dim=1))
        change, log_dispersion = hidden.split(self.horizons, dim=1)
        return recent[:, None] + change.clamp(*CHANGE), log_dispersion.clamp(*DISPERSION)


def weights(network: CountNetwork) -> Weights:
    """The network's weights as a `NetworkForecaster` takes them."""
    return {k: v.detach().double().cpu().numpy() for k, v in network.state_dict().items()}
