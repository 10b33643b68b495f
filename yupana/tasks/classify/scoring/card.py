"""Sections of the model card that only this kind can write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from yupana.core.evaluation import Evaluation
from yupana.core.markdown import table
from yupana.tasks.classify.model import store
from yupana.tasks.classify.scoring import metrics


def sections(folder: Path, evaluation: Evaluation) -> Sequence[str]:
    """Calibration and what declining gains, by model; what the model decides by itself."""
    shares = [share for share in metrics.COVERAGES if share < 1]
    heads = ["Modelo / *Model*", "Exactitud / *Accuracy*", "ECE"]
    heads += [f"+ al {share:.0%} / *at {share:.0%}*" for share in shares]
    rows = []
    for model, of in evaluation.scores.items():
        gains = [f"{100 * of[f'gain_at_{round(100 * share)}']:+.1f}" for share in shares]
        rows.append([model, f"{of['accuracy']:.3f}", f"{of['calibration_error']:.3f}", *gains])
    facts = store.description(folder)["thresholds"]
    decide = (
        f"Decide sola desde una confianza de {facts['decide']:.2f}; lo demás va a una persona. "
        f"*It decides alone from a confidence of {facts['decide']:.2f}; the rest goes to a person.*"
    )
    return [
        "## Confianza · *Confidence*\n\n"
        "Puntos de exactitud que se ganan al responder solo lo más seguro. "
        "*Points of accuracy gained by answering the surest alone.*\n\n"
        f"{table(heads, rows)}\n\n{decide}"
    ]
