"""How the pooled forecaster is fitted and read.

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

from yupana.core.errors import TerminalError, UsageError
from yupana.tasks.forecast.dataset.cutoff import known_at
from yupana.tasks.forecast.model import area_regressions, member_past, members, store
from yupana.tasks.forecast.model import pool as pools
from yupana.tasks.forecast.model.autoregression import Autoregression
from yupana.tasks.forecast.model.last_value import LastValue
from yupana.tasks.forecast.model.member_past import MemberPast
from yupana.tasks.forecast.model.members import POWERS
from yupana.tasks.forecast.model.network_forecaster import SEARCH, Description, Options
from yupana.tasks.forecast.model.seasonal import Seasonal
from yupana.tasks.forecast.model.store import Fitted, load
from yupana.tasks.forecast.model.training_rows import (
    Learnable,
    feature_names,
    horizons_of,
    learnable,
)
from yupana.tasks.forecast.options import BASELINES
from yupana.tasks.forecast.quantiles import Forecaster, Totals

__all__ = [
    "FINAL",
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


def _describer(service: str) -> Callable[[pd.DataFrame], Description]:
    return lambda rows: members.describe(rows, feature_names(rows), horizons_of(rows), service)


def options_of(values: Mapping[str, Any] | None) -> Options:
    """The defaults with what was tuned in their place.

    Raises:
        UsageError: a name that is no option.
    """
    names = {f.name for f in fields(Options)}
    if strange := sorted(set(values or {}) - names):
        raise UsageError(
            f"There is no option {', '.join(strange)}.",
            where="options of the model",
            fix=f"Options are {', '.join(sorted(names))}.",
        )
    return Options(**(values or {}))


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
    _, curve = members.network(
        train, held_out, _describer("")(train), seed=seed, options=options_of(options),
        say=lambda _: None, watch=watch,
    )  # fmt: skip
    return curve[-1]["val_nll"]


def fit_member(
    frame: pd.DataFrame,
    member: str,
    out: Path,
    *,
    service: str,
    seed: int,
    say: Say,
    options: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Fit one member, write its files and what it would have told of past years to `out`.

    The member is fitted before each of the last years to forecast it, on all that is known at the
    end of the validation weeks (what the test part scores), and on all that is known (what
    answers).

    Args:
        frame: columns `entity`, `event_timestamp`, features, `target_1`… (counts
            a period, NaN where not known), `part`.
        member: one of `MEMBERS`.
        service: the Feast service whose features the frame holds.
        seed: of every random choice; the same seed gives the same files.
        say: told of progress.
        options: some of `OPTIONS`, else those are used.

    Returns:
        `metrics`, `params` (both flat), and `curve` (losses by epoch, nats a count).

    Raises:
        TerminalError: the training set cannot be learned from.
        UsageError: no such member or option.
    """
    if member not in MEMBERS:
        raise UsageError(
            f"There is no member '{member}'.", where="options of the model",
            fix=f"Members are {', '.join(MEMBERS)}.",
        )  # fmt: skip
    start = time.monotonic()
    rows = learnable(frame)
    if member == store.NETWORK:
        report = _fit_network(rows, out, seed, say, options_of(options), _describer(service))
    else:
        report = _fit_regressions(rows, out)
    report["metrics"][f"seconds_{member}"] = round(time.monotonic() - start, 2)
    (out / MADE).write_text(json.dumps(report))
    return report


def _fit_network(
    rows: Learnable, out: Path, seed: int, say: Say, options: Options,
    describe: Callable[[pd.DataFrame], Description],
) -> dict[str, Any]:  # fmt: skip
    years = members.past_years(rows.before_test, rows.last, rows.horizons)
    say(f"{len(years)} past years, each forecast from before it; then all that is known")
    sets = _fits(rows, out)
    fitted = members.networks(
        [*(before_year for before_year, _ in years), *sets.values()], describe,
        seed=seed, options=options, say=say,
    )  # fmt: skip
    before = [network for network, _ in fitted[: len(years)]]
    past = members.forecast_past({store.NETWORK: before}, [origins for _, origins in years])
    for folder, (network, _) in zip(sets, fitted[len(years) :], strict=True):
        store.save_network(network, folder)
    store.save_past(past, out)
    curve = fitted[-1][1]
    metrics = {"train_nll": curve[-1]["train_nll"], "epochs": len(curve)}
    params = {**asdict(options), "networks": members.SEEDS}
    return {"metrics": metrics, "params": params, "curve": curve}


def _fit_regressions(rows: Learnable, out: Path) -> dict[str, Any]:
    years = members.past_years(rows.before_test, rows.last, rows.horizons)
    fits = [members.regressions(before_year, rows.horizons) for before_year, _ in years]
    past = members.forecast_past(
        {name: [fit[name] for fit in fits] for name in POWERS}, [origins for _, origins in years]
    )
    for folder, learned in _fits(rows, out).items():
        sums = area_regressions.fit(learned, rows.horizons)
        store.save_regressions(members.regressions(learned, rows.horizons), sums, folder)
    store.save_past(past, out)
    return {"metrics": {}, "params": {}, "curve": []}


def _fits(rows: Learnable, out: Path) -> dict[Path, pd.DataFrame]:
    """What is fitted for good, by the folder that receives it; see `store.EVALUATED`."""
    if rows.test.empty:
        return {out: rows.complete}
    return {out / store.EVALUATED: rows.before_test, out: rows.complete}


def pool(
    frame: pd.DataFrame, folders: Mapping[str, Path], out: Path, *, seed: int, say: Say
) -> dict[str, Any]:
    """Join fitted members: learn weights and recalibration from what they told of past years.

    Args:
        frame: the training set that the members were fitted on.
        folders: by member, those that `fit_member` wrote to.
        out: folder that receives the model's files.

    Returns:
        As `fit_member`, of all members together.

    Raises:
        UsageError: a member is missing.
        TerminalError: the members were fitted on another training set.
    """
    if absent := sorted(set(MEMBERS) - set(folders)):
        raise UsageError(
            f"The pool lacks its member {', '.join(absent)}.",
            where="options of the model",
            fix="Fit it on the same split: yupana fit outbreak --split … --member …",
        )
    start = time.monotonic()
    rows = learnable(frame)
    past = member_past.read(rows, folders)
    if not rows.test.empty:
        if old := [str(f) for f in folders.values() if store.evaluated(f) == f]:
            raise TerminalError(
                "Members were fitted once, by an earlier release: nothing of them can be scored.",
                where=", ".join(old),
                fix="Fit each member again: yupana fit USE_CASE --split … --member …",
            )
        scored = _pooled({m: store.evaluated(f) for m, f in folders.items()}, past, seed)
        store.save(scored, out / store.EVALUATED)
        past = past.followed_by(rows.test, scored.members)
    fitted = _pooled(folders, past, seed)
    learned, neural = fitted.learned, fitted.neural
    say(f"weights from {len(past.rows)} past forecasts: {learned.weights}")
    store.save(fitted, out)
    parts = [json.loads((folder / MADE).read_text()) for folder in folders.values()]
    metrics = {k: v for part in parts for k, v in part["metrics"].items()}
    metrics |= {f"weight_{name}": weight for name, weight in learned.weights.items()}
    metrics["seconds_pool"] = round(time.monotonic() - start, 2)
    return {
        "metrics": metrics,
        "params": {
            "seed": seed, "train_rows": len(rows.train),
            "validation_rows": len(rows.validation),
            "features": len(neural.description.features),
            "feature_service": neural.description.feature_service,
            "districts": len(neural.description.districts),
            "trained_through": neural.description.trained_through,
            **{k: v for part in parts for k, v in part["params"].items()},
        },
        "curve": [row for part in parts for row in part["curve"]],
    }  # fmt: skip


def _pooled(folders: Mapping[str, Path], past: MemberPast, seed: int) -> Fitted:
    regressions, sums = store.load_regressions(folders[store.REGRESSIONS])
    neural = store.load_network(folders[store.NETWORK])
    learned = pools.learn(past.by_member, past.rows, past.observed, prior=PRIOR, seed=seed)
    return Fitted(neural, regressions, learned, sums)


def fit(
    frame: pd.DataFrame,
    out: Path,
    *,
    service: str,
    seed: int,
    say: Say,
    options: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """`fit_member` for all members, one after the other, and `pool`."""
    with tempfile.TemporaryDirectory(prefix="yupana-members-") as folder:
        folders = {member: Path(folder) / member for member in MEMBERS}
        for member, path in folders.items():
            fit_member(
                frame, member, path, service=service, seed=seed, say=say, options=options
            )
        return pool(frame, folders, out, seed=seed, say=say)


def baselines(frame: pd.DataFrame) -> dict[str, Forecaster]:
    """What the pool must beat, learned from what the pool may know: all before part `test`."""
    rows, test = frame[frame["part"] != "test"], frame[frame["part"] == "test"]
    horizons = horizons_of(frame)
    if len(test):
        rows = known_at(rows, test["event_timestamp"].min(), horizons)
    models = LastValue(rows, horizons), Seasonal(rows, horizons), Autoregression(rows, horizons)
    return dict(zip(BASELINES, models, strict=True))


def _conforms(fitted: Fitted) -> tuple[Forecaster, Totals]:
    """Read by the type checker alone: a fitted pool is a forecaster, also of totals."""
    return fitted, fitted
