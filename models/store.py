"""A fitted pool in a folder: arrays as safetensors, the rest as JSON, nothing that runs on load."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save_file

from models import network
from models.network import Description, NetworkForecaster
from models.pool import Learned, Pool
from models.ridge import Ridge
from yupana.core.errors import TerminalError

WEIGHTS, DESCRIPTION = "weights.safetensors", "model.json"
NETWORK = "network"
"""Name of the network among the members; the others are regressions."""

_LEARNED = ("levels", "total_levels", "templates")


class Fitted(Pool):
    """A pool of a network and regressions, with the network's description."""

    def __init__(
        self,
        neural: NetworkForecaster,
        regressions: dict[str, Ridge],
        learned: Learned,
        sums: dict[str, Ridge],
    ) -> None:
        super().__init__({NETWORK: neural, **regressions}, learned, sums)
        self.neural, self.regressions = neural, regressions
        self.description = neural.description

    def quantiles(
        self, features: pd.DataFrame, levels: Sequence[float]
    ) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Counts of shape (rows, horizons, levels), non-negative, rising along levels.

        Raises:
            TerminalError: a feature column is absent or holds a value that is not a number.
        """
        # Whatever the weights: a row that one member cannot read is not answered by the others.
        self.description.encode(features)
        return super().quantiles(features, levels)


def save(fitted: Fitted, folder: Path) -> None:
    """Write the two files of a fitted model to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {f"pool.{name}": getattr(fitted.learned, name) for name in _LEARNED}
    for name, member in {**fitted.regressions, **fitted.sums}.items():
        arrays |= {f"{name}.{key}": value for key, value in member.arrays().items()}
    tensors = {key: torch.tensor(np.ascontiguousarray(value)) for key, value in arrays.items()}
    save_file(tensors | network.state(fitted.neural.networks), folder / WEIGHTS)
    told = {
        **asdict(fitted.description),
        "pool": {"weights": fitted.learned.weights, "districts": fitted.learned.districts},
        "regressions": {name: member.power for name, member in fitted.regressions.items()},
        "sums": {name: member.power for name, member in fitted.sums.items()},
    }
    text = json.dumps(told, indent=1, ensure_ascii=False)
    (folder / DESCRIPTION).write_text(text + "\n", encoding="utf-8")


def load(folder: Path) -> Fitted:
    """Read a fitted model from its folder.

    Raises:
        TerminalError: the folder does not hold a model.
    """
    try:
        told = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        stored = load_file(folder / WEIGHTS)
    except FileNotFoundError as error:
        raise TerminalError(
            "The folder holds no fitted model.",
            where=str(error.filename or folder),
            fix="Fit it first: yupana train <use case>.",
        ) from error
    pool, powers, sums = told.pop("pool"), told.pop("regressions"), told.pop("sums")
    description = Description(
        **{k: tuple(v) if isinstance(v, list) else v for k, v in told.items()}
    )
    neural = network.restore(_of(stored, NETWORK, keep=True), description)
    members, direct = (
        {name: Ridge(power, **_arrays(stored, name)) for name, power in of.items()}
        for of in (powers, sums)
    )
    arrays = _arrays(stored, "pool")
    learned = Learned(pool["weights"], districts=tuple(pool["districts"]), **arrays)
    return Fitted(neural, members, learned, direct)


def _of(stored: dict[str, torch.Tensor], owner: str, keep: bool = False) -> dict[str, torch.Tensor]:
    prefix = f"{owner}."
    mine = {k: v for k, v in stored.items() if k.startswith(prefix)}
    return mine if keep else {k.removeprefix(prefix): v for k, v in mine.items()}


def _arrays(stored: dict[str, torch.Tensor], owner: str) -> dict[str, Any]:
    return {k: v.numpy() for k, v in _of(stored, owner).items()}
