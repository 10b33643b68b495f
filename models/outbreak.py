"""Dengue cases by district, 1 to 8 weeks ahead: how the outbreak forecaster is fitted and read.

Light to import: serving loads a fitted model through `load`; Lightning is needed only by `fit`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from models.last_value import LastValue
from models.network import RECENT, CountNetwork, Description, NetworkForecaster, load, save
from yupana.core.errors import TerminalError
from yupana.core.forecast import Forecaster

__all__ = ["FEATURE_SERVICE", "HORIZONS", "baselines", "feature_names", "fit", "load"]

FEATURE_SERVICE = "outbreak_v1"
HORIZONS = tuple(range(1, 9))
MIN_ROWS = 200
"""Fewer training or validation rows than this cannot choose between two sets of weights."""

_TARGETS = tuple(f"target_{h}" for h in HORIZONS)
_NOT_FEATURES = {"ubigeo", "event_timestamp", "part", *_TARGETS}


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


def _describe(rows: pd.DataFrame) -> Description:
    """Scaling and districts as the training rows give them."""
    names = feature_names(rows)
    values = rows[list(names)].to_numpy(dtype=float)
    # Counts and rates are skewed and never negative; the season's sine and cosine are not so.
    log_scaled = (values >= 0).all(axis=0)
    values = np.where(log_scaled, np.log1p(np.maximum(values, 0)), values)
    spread = values.std(axis=0)
    return Description(
        features=names,
        log_scaled=tuple(bool(v) for v in log_scaled),
        means=tuple(float(v) for v in values.mean(axis=0)),
        scales=tuple(float(v) for v in np.where(spread > 1e-9, spread, 1.0)),
        districts=tuple(sorted(str(u) for u in rows["ubigeo"].unique())),
        horizons=HORIZONS,
        feature_service=FEATURE_SERVICE,
        trained_through=pd.Timestamp(rows["event_timestamp"].max()).date().isoformat(),
    )


def fit(frame: pd.DataFrame, out: Path, *, seed: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Fit on part `train`, stop by part `validation`, write the model's two files to `out`.

    Args:
        frame: columns `ubigeo`, `event_timestamp`, features, `target_1`..`target_8` (cases a
            week, NaN where not known), `part`.
        out: folder that receives `weights.safetensors` and `model.json`.
        seed: seed of every random choice; the same seed gives the same weights.
        say: told of progress, a line an epoch.

    Returns:
        `metrics`, `params` (both flat), and `curve` (losses by epoch, nats a count).

    Raises:
        TerminalError: the training set cannot be learned from.
    """
    from models import training

    rows, held_out = _checked(frame, "train"), _checked(frame, "validation")
    description = _describe(rows)

    def part(of: pd.DataFrame) -> training.Part:
        features, recent, district = description.encode(of)
        counts = torch.tensor(of[list(_TARGETS)].to_numpy(dtype="float32"))
        return features.float(), recent.float(), district, counts

    sizes = len(description.features), len(description.districts), len(HORIZONS)
    network, result = training.train(
        lambda: CountNetwork(*sizes), part(rows), part(held_out), seed=seed, say=say
    )
    save(network, description, out)
    return {
        "metrics": {k: result[k] for k in ("val_nll", "best_epoch", "epochs", "seconds")},
        "params": {
            "seed": seed, "train_rows": len(rows), "validation_rows": len(held_out),
            "features": sizes[0], "districts": sizes[1], "batch": training.BATCH,
            "learning_rate": training.LEARNING_RATE, "feature_service": FEATURE_SERVICE,
            "trained_through": description.trained_through,
        },
        "curve": result["curve"],
    }  # fmt: skip


def baselines(frame: pd.DataFrame) -> dict[str, Forecaster]:
    """What the network must beat, learned from the same part `train`."""
    return {"last_value": LastValue(frame[frame["part"] == "train"], HORIZONS)}


def _conforms(fitted: NetworkForecaster) -> Forecaster:
    """Read by the type checker alone: a fitted network is a forecaster."""
    return fitted
