"""Dengue cases by district, 1 to 8 weeks ahead: how the outbreak forecaster is fitted and read.

Light to import: serving loads a fitted model through `load`; torch is needed only to fit.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pandas as pd

from models import areas, members, side_by_side, store
from models import pool as pools
from models.autoregression import Autoregression
from models.last_value import LastValue
from models.members import POWERS
from models.network_forecaster import SEARCH, Description, Options
from models.outbreak_rows import (
    FEATURE_SERVICE,
    HORIZONS,
    TARGETS,
    Learnable,
    feature_names,
    learnable,
)
from models.seasonal import Seasonal
from models.store import Fitted, load
from yupana.core.errors import TerminalError, UsageError
from yupana.core.forecast import Forecaster, Totals
from yupana.features import splits

__all__ = [
    "FEATURE_SERVICE",
    "FINAL",
    "HORIZONS",
    "MEMBERS",
    "OPTIONS",
    "SEARCH",
    "baselines",
    "feature_names",
    "fit",
    "fit_member",
    "load",
    "pool",
    "tuning",
]  # fmt: skip

FINAL = "pool"
"""Name of what `load` gives, in scores and reports."""

MEMBERS = (store.NETWORK, store.REGRESSIONS)
"""What is fitted apart, and joined by `pool`."""

OPTIONS: Mapping[str, Any] = asdict(Options())
"""What tuning may choose, with the values that are used when nothing was tuned."""

PRIOR = {store.NETWORK: 0.5, **{name: 0.5 / len(POWERS) for name in POWERS}}
"""Weights before any evidence: the network and the regressions alike, as two kinds of model."""

MADE = "member.json"
Say = Callable[[str], None]


def _describe(rows: pd.DataFrame) -> Description:
    return members.describe(rows, feature_names(rows), HORIZONS, FEATURE_SERVICE)


def options_of(given: Mapping[str, Any] | None) -> Options:
    """The defaults with what was tuned in their place.

    Raises:
        UsageError: a name that is no option.
    """
    known = {f.name for f in fields(Options)}
    if strange := sorted(set(given or {}) - known):
        raise UsageError(
            f"There is no option {', '.join(strange)}.",
            where="outbreak model",
            fix=f"Options are {', '.join(sorted(known))}.",
        )
    return Options(**(given or {}))


def tuning(
    frame: pd.DataFrame,
    options: Mapping[str, Any],
    *,
    seed: int,
    watch: Callable[[int, float], None],
) -> float:
    """Validation loss (nats a count) of one network with these options, for `yupana tune`.

    Args:
        watch: told of each epoch's loss; raises to give the trial up.
    """
    train, held_out, *_ = learnable(frame)
    _, made = members.network(
        train, held_out, _describe(train), seed=seed, options=options_of(options),
        say=lambda _: None, watch=watch,
    )  # fmt: skip
    return float(made["val_nll"])


def fit_member(
    frame: pd.DataFrame,
    member: str,
    out: Path,
    *,
    seed: int,
    say: Say,
    options: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Fit one member, write its files and what it would have told of past years to `out`.

    The network's epoch is chosen on part `validation`; then the member is fitted before each of
    the last years to forecast it, and on all that is known at the end of the validation weeks.

    Args:
        frame: columns `ubigeo`, `event_timestamp`, features, `target_1`..`target_8` (cases a
            week, NaN where not known), `part`.
        member: one of `MEMBERS`.
        seed: of every random choice; the same seed gives the same files.
        say: told of progress, a line an epoch.
        options: some of `OPTIONS`, else those are used.

    Returns:
        `metrics`, `params` (both flat), and `curve` (losses by epoch, nats a count).

    Raises:
        TerminalError: the training set cannot be learned from.
        UsageError: no such member or option.
    """
    if member not in MEMBERS:
        raise UsageError(
            f"There is no member '{member}'.", where="outbreak model",
            fix=f"Members are {', '.join(MEMBERS)}.",
        )  # fmt: skip
    start = time.monotonic()
    given = learnable(frame)
    if member == store.NETWORK:
        made = _fit_network(given, out, seed, say, options_of(options))
    else:
        made = _fit_regressions(given, out)
    made["metrics"][f"seconds_{member}"] = round(time.monotonic() - start, 2)
    (out / MADE).write_text(json.dumps(made))
    return made


def _fit_network(
    given: Learnable, out: Path, seed: int, say: Say, options: Options
) -> dict[str, Any]:
    side_by_side.prepare()
    _, chosen = members.network(
        given.train, given.validation, _describe(given.train), seed=seed, options=options, say=say
    )
    years = members.past_years(given.everything, given.last, HORIZONS)
    say(f"{len(years)} past years, each forecast from before it; then all that is known")
    *before, final = members.networks(
        [*(known for known, _ in years), given.everything], _describe,
        seed=seed, options=options, epochs=chosen["best_epoch"],
    )  # fmt: skip
    told = members.tell({store.NETWORK: before}, [origins for _, origins in years])
    store.save_network(final, told, out)
    metrics = {k: chosen[k] for k in ("val_nll", "best_epoch", "epochs")}
    params = {**asdict(options), "networks": members.SEEDS}
    return {"metrics": metrics, "params": params, "curve": chosen["curve"]}


def _fit_regressions(given: Learnable, out: Path) -> dict[str, Any]:
    years = members.past_years(given.everything, given.last, HORIZONS)
    fits = [members.regressions(known, HORIZONS) for known, _ in years]
    told = members.tell(
        {name: [fit[name] for fit in fits] for name in POWERS}, [origins for _, origins in years]
    )
    sums = areas.fit(given.everything, HORIZONS)
    final = members.regressions(given.everything, HORIZONS)
    store.save_regressions(final, sums, told, out)
    return {"metrics": {}, "params": {}, "curve": []}


def pool(
    frame: pd.DataFrame, made: Mapping[str, Path], out: Path, *, seed: int, say: Say
) -> dict[str, Any]:
    """Join fitted members: learn weights and recalibration from what they told of past years.

    Args:
        frame: the training set that the members were fitted on.
        made: by member, the folder that `fit_member` wrote.
        out: folder that receives the model's files.

    Returns:
        As `fit_member`, of all members together.

    Raises:
        UsageError: a member is missing.
        TerminalError: the members were fitted on another training set.
    """
    if absent := sorted(set(MEMBERS) - set(made)):
        raise UsageError(
            f"The pool lacks its member {', '.join(absent)}.",
            where="outbreak model",
            fix="Fit it on the same split: yupana fit outbreak --split … --member …",
        )
    start = time.monotonic()
    given = learnable(frame)
    neural, told = store.load_network(made[store.NETWORK])
    regressions, sums, more = store.load_regressions(made[store.REGRESSIONS])
    told |= more
    rows = members.past_rows(given.everything, given.last, HORIZONS)
    if any(len(quantiles) != len(rows) for quantiles in told.values()):
        raise TerminalError(
            "The members told of other weeks than this training set holds.",
            where=", ".join(str(folder) for folder in made.values()),
            fix="Fit every member on the split that the pool is made on.",
        )
    observed = rows[list(TARGETS)].to_numpy(dtype=float)
    learned = pools.learn(told, rows, observed, prior=PRIOR, seed=seed)
    say(f"weights from {len(rows)} past forecasts: {learned.weights}")
    fitted = Fitted(neural, regressions, learned, sums)
    store.save(fitted, out)
    parts = [json.loads((folder / MADE).read_text()) for folder in made.values()]
    metrics = {k: v for part in parts for k, v in part["metrics"].items()}
    metrics |= {f"weight_{name}": weight for name, weight in learned.weights.items()}
    metrics["seconds_pool"] = round(time.monotonic() - start, 2)
    return {
        "metrics": metrics,
        "params": {
            "seed": seed, "train_rows": len(given.train), "validation_rows": len(given.validation),
            "features": len(neural.description.features), "feature_service": FEATURE_SERVICE,
            "districts": len(neural.description.districts),
            "trained_through": neural.description.trained_through,
            **{k: v for part in parts for k, v in part["params"].items()},
        },
        "curve": [row for part in parts for row in part["curve"]],
    }  # fmt: skip


def fit(
    frame: pd.DataFrame,
    out: Path,
    *,
    seed: int,
    say: Say,
    options: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """`fit_member` for all members, one after the other, and `pool`."""
    with tempfile.TemporaryDirectory(prefix="yupana-members-") as folder:
        made = {member: Path(folder) / member for member in MEMBERS}
        for member, path in made.items():
            fit_member(frame, member, path, seed=seed, say=say, options=options)
        return pool(frame, made, out, seed=seed, say=say)


def baselines(frame: pd.DataFrame) -> dict[str, Forecaster]:
    """What the pool must beat, learned from what the pool may know: all before part `test`."""
    rows, test = frame[frame["part"] != "test"], frame[frame["part"] == "test"]
    if len(test):
        rows = splits.known_at(rows, test["event_timestamp"].min(), HORIZONS)
    return {
        "last_value": LastValue(rows, HORIZONS),
        "seasonal": Seasonal(rows, HORIZONS),
        "ar": Autoregression(rows, HORIZONS),
    }


def _conforms(fitted: Fitted) -> tuple[Forecaster, Totals]:
    """Read by the type checker alone: a fitted pool is a forecaster, also of totals."""
    return fitted, fitted
