"""Dengue cases by district, 1 to 8 weeks ahead: how the outbreak forecaster is fitted and read.

Light to import: serving loads a fitted model through `load`; Lightning is needed only by `fit`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from models import areas, conformal, past, pool, ridge, store
from models.autoregression import Autoregression
from models.last_value import LastValue
from models.network import RECENT, CountNetwork, Description, NetworkForecaster
from models.seasonal import Seasonal
from models.store import Fitted, load
from yupana.core.errors import TerminalError
from yupana.core.forecast import Forecaster, Totals

__all__ = ["FEATURE_SERVICE", "FINAL", "HORIZONS", "baselines", "feature_names", "fit", "load"]

FEATURE_SERVICE = "outbreak_v1"
FINAL = "pool"
"""Name of what `load` gives, in scores and reports."""

HORIZONS = tuple(range(1, 9))
MIN_ROWS = 200
"""Fewer training or validation rows than this cannot choose between two sets of weights."""

SEEDS = 3
"""Networks that are averaged."""

POWERS = {"fourth_root": 0.25, "square_root": 0.5}
"""The regressions: by name, the power that counts are raised to."""

PRIOR = {store.NETWORK: 0.5, **{name: 0.5 / len(POWERS) for name in POWERS}}
"""Weights before any evidence: the network and the regressions alike, as two kinds of model."""

Say = Callable[[str], None]
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


def _network(
    rows: pd.DataFrame, held_out: pd.DataFrame | None, seed: int, epochs: int, say: Say
) -> tuple[NetworkForecaster, dict[str, Any]]:
    """One network; `held_out` chooses the epoch, without it there are as many as told."""
    from models import training

    description = _describe(rows)

    def part(of: pd.DataFrame) -> training.Part:
        features, recent, district = description.encode(of)
        counts = torch.tensor(of[list(_TARGETS)].to_numpy(dtype="float32"))
        return features.float(), recent.float(), district, counts

    sizes = len(description.features), len(description.districts), len(HORIZONS)
    network, result = training.train(
        lambda: CountNetwork(*sizes), part(rows), None if held_out is None else part(held_out),
        seed=seed, say=say, epochs=epochs,
    )  # fmt: skip
    return NetworkForecaster([network], description), result


def _members(
    rows: pd.DataFrame, seed: int, epochs: int, say: Say
) -> tuple[NetworkForecaster, dict[str, ridge.Ridge]]:
    """The averaged networks, and the regressions by name."""
    made = [_network(rows, None, seed + i, epochs, say)[0] for i in range(SEEDS)]
    networks = [network for one in made for network in one.networks]
    regressions = {name: ridge.fit(rows, HORIZONS, power) for name, power in POWERS.items()}
    return NetworkForecaster(networks, made[0].description), regressions


def _learn(
    rows: pd.DataFrame, last: pd.Timestamp, seed: int, epochs: int, say: Say
) -> pool.Learned:
    """Weights and recalibration from past years, each forecast by members fitted before it."""
    told: list[dict[str, pool.Array]] = []
    seen: list[pd.DataFrame] = []
    for known, origins in past.years(rows, last, HORIZONS, MIN_ROWS):
        say(f"the year from {origins['event_timestamp'].min().date()}, forecast from before it")
        neural, regressions = _members(known, seed, epochs, lambda _: None)
        members = {store.NETWORK: neural, **regressions}
        told.append({n: m.quantiles(origins, conformal.GRID.tolist()) for n, m in members.items()})
        seen.append(origins)
    if not told:
        raise TerminalError(
            "No past year can be forecast from the years before it.",
            where="outbreak training set",
            fix="Publish more weeks: two years of origins or more.",
        )
    together = {name: np.concatenate([t[name] for t in told]) for name in told[0]}
    everything = pd.concat(seen, ignore_index=True)
    observed = everything[list(_TARGETS)].to_numpy(dtype=float)
    learned = pool.learn(together, everything, observed, prior=PRIOR, seed=seed)
    say(f"weights from {len(told)} past years: {learned.weights}")
    return learned


def fit(frame: pd.DataFrame, out: Path, *, seed: int, say: Say) -> dict[str, Any]:
    """Fit the members and their pool, write the model's files to `out`.

    The epoch is chosen on part `validation`; weights and recalibration are learned from what the
    members would have forecast in each of the last years, fitted before it; then the members
    learn from all that is known at the end of the validation weeks. Part `test` is not looked at.

    Args:
        frame: columns `ubigeo`, `event_timestamp`, features, `target_1`..`target_8` (cases a
            week, NaN where not known), `part`.
        out: folder that receives the files of `models.store`.
        seed: seed of every random choice; the same seed gives the same files.
        say: told of progress, a line an epoch.

    Returns:
        `metrics`, `params` (both flat), and `curve` (losses by epoch, nats a count).

    Raises:
        TerminalError: the training set cannot be learned from.
    """
    from models import training

    start = time.monotonic()
    rows, held_out = _checked(frame, "train"), _checked(frame, "validation")
    _, chosen = _network(rows, held_out, seed, training.EPOCHS, say)
    last = held_out["event_timestamp"].max()
    end = last + pd.Timedelta(weeks=max(HORIZONS))
    learnable = past.known_at(frame[frame["part"] != "test"], end, HORIZONS)
    learned = _learn(learnable, last, seed, chosen["best_epoch"], say)
    neural, regressions = _members(learnable, seed, chosen["best_epoch"], say)
    fitted = Fitted(neural, regressions, learned, areas.fit(learnable, HORIZONS))
    store.save(fitted, out)
    weights = {f"weight_{name}": weight for name, weight in learned.weights.items()}
    return {
        "metrics": {
            **{k: chosen[k] for k in ("val_nll", "best_epoch", "epochs")}, **weights,
            "seconds": round(time.monotonic() - start, 2),
        },
        "params": {
            "seed": seed, "train_rows": len(rows), "validation_rows": len(held_out),
            "features": len(fitted.description.features), "networks": SEEDS,
            "districts": len(fitted.description.districts), "batch": training.BATCH,
            "learning_rate": training.LEARNING_RATE, "feature_service": FEATURE_SERVICE,
            "trained_through": fitted.description.trained_through,
        },
        "curve": chosen["curve"],
    }  # fmt: skip


def baselines(frame: pd.DataFrame) -> dict[str, Forecaster]:
    """What the pool must beat, learned from what the pool may know: all before part `test`."""
    rows, test = frame[frame["part"] != "test"], frame[frame["part"] == "test"]
    if len(test):
        rows = past.known_at(rows, test["event_timestamp"].min(), HORIZONS)
    return {
        "last_value": LastValue(rows, HORIZONS),
        "seasonal": Seasonal(rows, HORIZONS),
        "ar": Autoregression(rows, HORIZONS),
    }


def _conforms(fitted: Fitted) -> tuple[Forecaster, Totals]:
    """Read by the type checker alone: a fitted pool is a forecaster, also of totals."""
    return fitted, fitted
