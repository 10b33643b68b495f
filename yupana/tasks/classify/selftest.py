"""A model's own test: the descriptions of its labels, with what it said of them when deployed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from yupana.core.errors import TerminalError
from yupana.tasks.classify.model.cascade import Cascade
from yupana.tasks.classify.options import Options
from yupana.tasks.classify.result import Text

FILE = "selftest.npz"
WITHIN = 0.02
"""By how much a probability may differ: sums in another order, another processor."""


def write(folder: Path, model: Cascade, options: Options) -> None:
    """Keep the answers beside the model."""
    np.savez(folder / FILE, probabilities=model.probabilities(_texts(model, options)))


def run(folder: Path, model: Cascade, options: Options) -> None:
    """Ask a loaded model again.

    Raises:
        TerminalError: it does not answer as it did, or gives what are no probabilities.
    """
    with np.load(folder / FILE) as stored:
        expected = stored["probabilities"]
    answers = model.probabilities(_texts(model, options))
    where = f"{folder}, {FILE}"
    fix = "Deploy it again where it was trained, or promote another version."
    if not np.isfinite(answers).all() or np.abs(answers.sum(axis=1) - 1).max() > 1e-3:
        raise TerminalError("The model gives what are no probabilities.", where=where, fix=fix)
    if answers.shape != expected.shape or np.abs(answers - expected).max() > WITHIN:
        raise TerminalError("The model does not answer as it did.", where=where, fix=fix)


def _texts(model: Cascade, options: Options) -> list[Text]:
    return [Text("", options.label_of(name).about) for name in model.labels]
