"""Candidates before they are registered: where they lie, and how good they are."""

from __future__ import annotations

from pathlib import Path

from yupana.config.settings import Settings
from yupana.core import evaluation as evaluations
from yupana.core import usecase
from yupana.core.evaluation import Evaluation
from yupana.tracking import facts


def folder(settings: Settings, reference: str) -> Path:
    """Where `member:<hash>` or `candidate:<hash>` lies."""
    kind, _, identity = reference.partition(":")
    return settings.home / f"{kind}s" / identity


def evaluate(use_case: str, folder: Path, rows: Path, *, seed: int) -> Evaluation:
    """Score a candidate as its use case does, and keep what was measured in its folder.

    Args:
        rows: file of the training set, with its part `test`.

    Raises:
        TerminalError: there is nothing to score.
    """
    # A second evaluation says anew what it left: it may be by other code.
    (folder / evaluations.FILE).unlink(missing_ok=True)
    measured = usecase.load(use_case).evaluate(folder, rows, seed=seed)
    evaluation = measured.model_copy(update={"files": facts.added(folder)})
    evaluations.write(folder, evaluation)
    return evaluation
