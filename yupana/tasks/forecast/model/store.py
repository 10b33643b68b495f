"""A fitted pool in a folder: arrays as safetensors, the rest as JSON, nothing that runs on load."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from yupana.core.errors import TerminalError
from yupana.tasks.forecast.model.area_regressions import AreaRegressions
from yupana.tasks.forecast.model.endemic_epidemic import Columns, EndemicEpidemic
from yupana.tasks.forecast.model.network_forecaster import Description, NetworkForecaster, restore
from yupana.tasks.forecast.model.pool import Learned, Pool
from yupana.tasks.forecast.model.ridge import Ridge

WEIGHTS, DESCRIPTION, PAST = "weights.safetensors", "model.json", "past.npz"
EVALUATED = "evaluated"
"""Folder in that of a model or member: the fit before the test part, whose scores are told. The
one beside it was fitted again, by the same procedure and seeds, on all that is known."""
NETWORK, REGRESSIONS = "network", "regressions"
"""What is fitted apart."""
SUMS, ENDEMIC_EPIDEMIC = "sums", "endemic_epidemic"
"""Regressions on sums: ridge regressions by area, and the other kind."""

Tensors = dict[str, np.ndarray[Any, Any]]
Forecasts = dict[str, np.ndarray[Any, np.dtype[np.float64]]]

_LEARNED = ("levels", "total_levels", "templates")


class Fitted(Pool):
    """A pool of a network and regressions, with the network's description."""

    def __init__(
        self,
        neural: NetworkForecaster,
        regressions: dict[str, Ridge],
        learned: Learned,
        sums: AreaRegressions,
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
    learned = fitted.learned
    arrays = {f"pool.{name}": getattr(learned, name) for name in _LEARNED}
    pooled = {"pool": {"weights": learned.weights, "districts": learned.districts}}
    tensors, description = _network_parts(fitted.neural)
    more, of = _regression_parts(fitted.regressions, fitted.sums)
    _write(folder, tensors | more | _tensors(arrays), {**description, **pooled, **of})


def save_network(neural: NetworkForecaster, folder: Path) -> None:
    """Write the network before it is pooled."""
    _write(folder, *_network_parts(neural))


def save_regressions(
    regressions: Mapping[str, Ridge], sums: AreaRegressions, folder: Path
) -> None:
    """Write the regressions before they are pooled."""
    _write(folder, *_regression_parts(regressions, sums))


def save_past(past: Forecasts, folder: Path) -> None:
    """Write what a member would have forecast of past years, at the levels of the grid."""
    np.savez_compressed(folder / PAST, **past)  # type: ignore[arg-type]


def load(folder: Path) -> Fitted:
    """Read a fitted model from its folder.

    Raises:
        TerminalError: the folder does not hold a model.
    """
    description, stored = _read(folder)
    pool = description.pop("pool")
    regressions, sums = _regressions(description, stored, folder)
    learned = Learned(
        pool["weights"], districts=tuple(pool["districts"]), **_arrays(stored, "pool")
    )
    return Fitted(_network(description, stored), regressions, learned, sums)


def evaluated(folder: Path) -> Path:
    """Where the fit lies that was scored: in a folder of its own where it was fitted again."""
    return folder / EVALUATED if (folder / EVALUATED).is_dir() else folder


def load_network(folder: Path) -> NetworkForecaster:
    """What `save_network` wrote.

    Raises:
        TerminalError: the folder does not hold it.
    """
    return _network(*_read(folder))


def load_regressions(folder: Path) -> tuple[dict[str, Ridge], AreaRegressions]:
    """What `save_regressions` wrote.

    Raises:
        TerminalError: the folder does not hold it.
    """
    return _regressions(*_read(folder), folder)


def load_past(folder: Path) -> Forecasts:
    """What `save_past` wrote.

    Raises:
        TerminalError: it is not there, as where `yupana maintain` forgot the member.
    """
    if not (folder / PAST).exists():
        raise TerminalError(
            "What the member told of past years is gone.",
            where=str(folder / PAST),
            fix="Fit the member again: yupana fit USE_CASE --split … --member …",
        )
    with np.load(folder / PAST) as stored:
        return {name: stored[name] for name in stored.files}


def _network_parts(neural: NetworkForecaster) -> tuple[Tensors, dict[str, Any]]:
    return neural.state(), asdict(neural.description)


def _regression_parts(
    regressions: Mapping[str, Ridge], sums: AreaRegressions
) -> tuple[Tensors, dict[str, Any]]:
    ridges = {**regressions, **{f"{SUMS}.{of}": ridge for of, ridge in sums.ridges.items()}}
    arrays = {
        f"{name}.{key}": value
        for name, ridge in ridges.items()
        for key, value in ridge.arrays().items()
    }
    endemic = sums.endemic_epidemic
    arrays |= {f"{ENDEMIC_EPIDEMIC}.{of}": array for of, array in endemic.coefficients.items()}
    description = {
        REGRESSIONS: {name: member.power for name, member in regressions.items()},
        SUMS: {of: ridge.power for of, ridge in sums.ridges.items()},
        ENDEMIC_EPIDEMIC: asdict(endemic.columns),
    }
    return _tensors(arrays), description


def _network(facts: dict[str, Any], stored: Tensors) -> NetworkForecaster:
    """Of what is told, the network's part."""
    # A model of an earlier release does not tell its ranges.
    mine = {f.name: facts.get(f.name, []) for f in fields(Description)}
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in mine.items()}
    description = Description(**values)
    return restore(_of(stored, NETWORK, keep=True), description)


def _regressions(
    description: dict[str, Any], stored: Tensors, folder: Path
) -> tuple[dict[str, Ridge], AreaRegressions]:
    if ENDEMIC_EPIDEMIC not in description:
        raise TerminalError(
            "The folder's model was fitted by an earlier release, of other regressions.",
            where=str(folder),
            fix="Fit it again: yupana train <use case>.",
        )

    def ridges(part: str, prefix: str = "") -> dict[str, Ridge]:
        powers = description[part]
        return {n: Ridge(power, **_arrays(stored, prefix + n)) for n, power in powers.items()}

    columns = {key: tuple(names) for key, names in description[ENDEMIC_EPIDEMIC].items()}
    endemic = EndemicEpidemic(Columns(**columns), _arrays(stored, ENDEMIC_EPIDEMIC))
    return ridges(REGRESSIONS), AreaRegressions(ridges(SUMS, f"{SUMS}."), endemic)


def _write(folder: Path, tensors: Tensors, description: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / WEIGHTS)
    text = json.dumps(description, indent=1, ensure_ascii=False)
    (folder / DESCRIPTION).write_text(text + "\n", encoding="utf-8")


def _read(folder: Path) -> tuple[dict[str, Any], Tensors]:
    try:
        description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        return description, load_file(folder / WEIGHTS)
    except FileNotFoundError as error:
        raise TerminalError(
            "The folder holds no fitted model.",
            where=str(error.filename or folder),
            fix="Fit it first: yupana train <use case>.",
        ) from error
    except (ValueError, SafetensorError) as error:
        raise TerminalError(
            "The folder's model cannot be read.",
            where=str(folder),
            detail=str(error),
            fix="Get it again from who shared it, or fit it again: yupana train <use case>.",
        ) from error


def _tensors(arrays: Mapping[str, Any]) -> Tensors:
    return {key: np.ascontiguousarray(value) for key, value in arrays.items()}


def _of(stored: Tensors, owner: str, keep: bool = False) -> Tensors:
    prefix = f"{owner}."
    mine = {k: v for k, v in stored.items() if k.startswith(prefix)}
    return mine if keep else {k.removeprefix(prefix): v for k, v in mine.items()}


def _arrays(stored: Tensors, owner: str) -> dict[str, Any]:
    return _of(stored, owner)
