"""Scores of labels with probabilities: macro-F1, calibration, and what declining gains.

All are pooled over the rows: a fold in which a label does not occur would have no F1 of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

BINS = 10
COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
RESAMPLES = 1000


@dataclass(frozen=True)
class Predictions:
    """What a model said of some texts, and what they are.

    Attributes:
        truth: labels (rows,).
        label: the most probable ones (rows,).
        confidence: calibrated probability that `label` is right (rows,), 0-1.
    """

    truth: Array
    label: Array
    confidence: Array

    def of(self, rows: Array) -> Predictions:
        """Those of some rows, by number or by mask."""
        return Predictions(self.truth[rows], self.label[rows], self.confidence[rows])


@dataclass(frozen=True)
class LabelScore:
    """How well one label is told: precision, recall and F1 (0-1) of `n` texts that have it."""

    n: int
    precision: float
    recall: float
    f1: float


def by_label(predictions: Predictions, labels: Sequence[str]) -> dict[str, LabelScore]:
    """The scores of each label; one that neither occurs nor is told has F1 0."""
    scores = {}
    for label in labels:
        is_it, says = predictions.truth == label, predictions.label == label
        right, n, predicted = int((is_it & says).sum()), int(is_it.sum()), int(says.sum())
        precision, recall = right / max(predicted, 1), right / max(n, 1)
        scores[label] = LabelScore(n, precision, recall, 2 * right / max(n + predicted, 1))
    return scores


def macro_f1(predictions: Predictions, labels: Sequence[str]) -> float:
    """The mean of the labels' F1 (0-1), over labels that occur."""
    scores = by_label(predictions, labels).values()
    there = [score.f1 for score in scores if score.n]
    return float(np.mean(there)) if there else 0.0


def accuracy(predictions: Predictions) -> float:
    """Share of texts whose label is right (0-1)."""
    return float((predictions.truth == predictions.label).mean())


def calibration_error(predictions: Predictions) -> float:
    """Expected calibration error (0-1): by ten bins of equal width of the confidence, how far its
    mean lies from the share that was right, weighted by rows (Guo et al. 2017, ICML)."""
    right = predictions.truth == predictions.label
    bins = np.clip((predictions.confidence * BINS).astype(int), 0, BINS - 1)
    total = 0.0
    for number in range(BINS):
        inside = bins == number
        if inside.any():
            off = abs(predictions.confidence[inside].mean() - right[inside].mean())
            total += float(off) * float(inside.mean())
    return total


def accuracy_at(predictions: Predictions, coverage: float) -> float:
    """Accuracy of the share `coverage` of the texts of which the model is surest.

    The selective risk is one less this (El-Yaniv, Wiener 2010, JMLR).
    """
    number = max(1, round(coverage * len(predictions.truth)))
    # Stable: of even ones the first, at every call the same.
    order = np.argsort(-predictions.confidence, kind="stable")[:number]
    return accuracy(predictions.of(order))


def interval(
    values: Sequence[Predictions], groups: Array,
    statistic: Callable[[Sequence[Predictions]], float], *, seed: int = 0,
) -> tuple[float, float]:  # fmt: skip
    """The 95 % interval of a statistic by a bootstrap over whole groups.

    Texts of one thread share its words: drawn singly they would make the interval too narrow.

    Args:
        values: predictions of one or more models of the same rows.
        groups: of each row.
    """
    names, of = np.unique(groups, return_inverse=True)
    rows = [np.flatnonzero(of == number) for number in range(len(names))]
    draws = np.random.default_rng(seed).integers(0, len(names), (RESAMPLES, len(names)))
    samples = []
    for draw in draws:
        chosen = np.concatenate([rows[number] for number in draw])
        samples.append(statistic([value.of(chosen) for value in values]))
    low, high = np.quantile(samples, [0.025, 0.975])
    return float(low), float(high)
