"""Search for better options of a use case's model with Optuna.

The study lies in SQLite and goes on where it was stopped. Only part `validation` of a training set
is looked at, so that what was tuned on a past day's set may be used in that day's backtest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from yupana.core.errors import TransientError

if TYPE_CHECKING:
    import optuna
    import pandas as pd

STARTUP, WARMUP = 4, 2
"""Trials before any is pruned, and epochs of a trial."""


class Tunable(Protocol):
    """A use case whose model has options."""

    @property
    def tunable(self) -> Mapping[str, Any]:
        """What may be chosen, with its defaults."""
        ...

    @property
    def search(self) -> Mapping[str, Sequence[float]]:
        """By option, a list to choose from, or a lowest and a highest value."""
        ...

    def tuning(
        self, frame: pd.DataFrame, options: Mapping[str, Any], *, seed: int,
        watch: Callable[[int, float], None],
    ) -> float:  # fmt: skip
        """The loss of a model with these options."""
        ...


@dataclass(frozen=True)
class TuningResult:
    """The best options of a study, beside what the defaults gave.

    Attributes:
        options: of the model tunable's `tunable`.
        loss, default_loss: validation loss, nats a count.
        trials, pruned, new: how many there are, were given up early, and are of this call.
    """

    options: dict[str, Any]
    loss: float
    default_loss: float
    trials: int
    pruned: int
    new: int


def tune(
    tunable: Tunable,
    frame: pd.DataFrame,
    storage: Path,
    name: str,
    *,
    minutes: float,
    most: int | None,
    seed: int,
    say: Callable[[str], None],
) -> TuningResult:
    """Try options until the time is over, or the number of trials is reached.

    The defaults are the first trial, so that the best is never worse than they are.

    Args:
        frame: a training set with parts train and validation.
        storage: SQLite file of studies.
        name: of the study: one for each training set, model code and seed.
        minutes: time budget; a running trial is given up when it ends.
        most: trials to add at most; None = as many as fit.

    Raises:
        TransientError: not one trial fits into the time.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = _study(storage, name, seed)
    before = len(study.trials)
    if not any(t.value is not None for t in study.trials):
        study.enqueue_trial(dict(tunable.tunable))
    end = time.monotonic() + minutes * 60

    def objective(trial: optuna.Trial) -> float:
        def watch(epoch: int, loss: float) -> None:
            trial.report(loss, epoch)
            # The defaults are what all others are measured by: they are never given up.
            measure = dict(trial.params) == dict(tunable.tunable)
            if not measure and (trial.should_prune() or time.monotonic() > end):
                raise optuna.TrialPruned

        return tunable.tuning(frame, _suggest(trial, tunable), seed=seed, watch=watch)

    def report(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        state = "given up" if trial.value is None else f"val_nll={trial.value:.4f}"
        say(f"trial {trial.number}: {state}, best {study.best_value:.4f} ({_text(trial)})")

    study.optimize(objective, n_trials=most, timeout=minutes * 60, callbacks=[report])
    complete = [t for t in study.trials if t.value is not None]
    defaults = [t for t in complete if t.params == dict(tunable.tunable)]
    if not complete:
        raise TransientError("Not one trial ended in time.", where=name, fix="Give more --minutes.")
    return TuningResult(
        options=dict(study.best_params),
        loss=float(study.best_value),
        default_loss=min(float(t.value or 0) for t in defaults),
        trials=len(complete),
        pruned=sum(t.state == optuna.trial.TrialState.PRUNED for t in study.trials),
        new=len(study.trials) - before,
    )


def picture(storage: Path, name: str, seed: int, out: Path) -> None:
    """Draw the losses of a study's trials, in order, with the best so far, as PNG."""
    import matplotlib

    matplotlib.use("Agg")
    import warnings

    from optuna.exceptions import ExperimentalWarning
    from optuna.visualization.matplotlib import plot_optimization_history

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        axes = plot_optimization_history(
            _study(storage, name, seed),
            target_name="pérdida de validación / validation loss (nats)",
        )
    axes.set_title("Búsqueda de opciones / Search for options")
    axes.legend(frameon=False)
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.set_size_inches(8, 4)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=120, bbox_inches="tight")


def _study(storage: Path, name: str, seed: int) -> optuna.Study:
    import optuna

    storage.parent.mkdir(parents=True, exist_ok=True)
    return optuna.create_study(
        study_name=name,
        storage=f"sqlite:///{storage}",
        load_if_exists=True,
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP, n_warmup_steps=WARMUP),
    )


def _suggest(trial: optuna.Trial, tunable: Tunable) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for name, where in tunable.search.items():
        if isinstance(where, list):
            options[name] = trial.suggest_categorical(name, where)
        else:
            low, high = where
            # Over a factor of ten and more, a value twice as large is one step.
            options[name] = trial.suggest_float(name, low, high, log=low > 0 and high / low >= 10)
    return options


def _text(trial: optuna.trial.FrozenTrial) -> str:
    values = {k: f"{v:.3g}" if isinstance(v, float) else str(v) for k, v in trial.params.items()}
    return ", ".join(f"{k} {v}" for k, v in values.items())
