"""Probabilities that mean what they say, learned from texts whose groups the model has not seen,
and the confidence from which it may decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

LEAST = 30
"""Texts from which on a share of right labels says something."""

NEVER = 1.01
"""A confidence that none reaches."""


@dataclass(frozen=True)
class Confidence:
    """How often the most probable label is right, by its log-odds (Platt 1999).

    Attributes:
        intercept, slope: of the log-odds that it is right.
    """

    intercept: float
    slope: float

    def apply(self, probabilities: Array) -> Array:
        """Probabilities whose largest says how often it is right; their order stays.

        Args:
            probabilities: (texts, labels).
        """
        top = probabilities.max(axis=1)
        right = 1 / (1 + np.exp(-(self.intercept + self.slope * _log_odds(top))))
        lowest = 1 / probabilities.shape[1]
        return _with_top(probabilities, np.clip(right, lowest + 1e-6, 1 - 1e-6))


def _with_top(probabilities: Array, top: Array) -> Array:
    """Each row to the power that makes its largest probability `top` (by bisection)."""
    logs = np.log(np.maximum(probabilities, 1e-12))
    logs = logs - logs.max(axis=1, keepdims=True)
    low, high = np.zeros(len(top)), np.full(len(top), 1e4)
    for _ in range(50):
        power = (low + high) / 2
        short = 1 / np.exp(logs * power[:, None]).sum(axis=1) < top
        low, high = np.where(short, power, low), np.where(short, high, power)
    shares = np.exp(logs * high[:, None])
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def confidence(probabilities: Array, labels: Array) -> Confidence:
    """Learn it from held-out texts.

    Args:
        probabilities: (texts, labels); `labels`: their numbers (texts,).
    """
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    right = probabilities.argmax(axis=1) == labels
    if right.all() or not right.any():
        # Nothing tells sure from unsure: as often as that, smoothed.
        share = (right.sum() + 1) / (len(right) + 2)
        return Confidence(float(np.log(share / (1 - share))), 0.0)
    odds = _log_odds(probabilities.max(axis=1))[:, None]
    with threadpool_limits(1):
        regression = LogisticRegression().fit(odds, right)
    # A model that is the less right the surer it is has no order at all.
    return Confidence(float(regression.intercept_[0]), max(0.0, float(regression.coef_[0, 0])))


def _log_odds(share: Array) -> Array:
    clipped = np.clip(share, 1e-6, 1 - 1e-6)
    odds: Array = np.log(clipped / (1 - clipped))
    return odds


def temperature(probabilities: Array, labels: Array) -> float:
    """The power's inverse that makes the labels likeliest; above 1 it makes a model less sure.

    Args:
        probabilities: (texts, labels); `labels`: their numbers (texts,).
    """
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        scaled = soften(probabilities, float(np.exp(log_temperature)))
        return float(-np.log(np.maximum(scaled[rows, labels], 1e-12)).mean())

    optimum = minimize_scalar(loss, bounds=(np.log(0.2), np.log(20)), method="bounded")
    return float(np.exp(optimum.x))


def soften(probabilities: Array, by: float) -> Array:
    """Probabilities to the power of 1 / `by`, summing to 1."""
    logs = np.log(np.maximum(probabilities, 1e-12)) / by
    high = np.exp(logs - logs.max(axis=-1, keepdims=True))
    shares: Array = high / high.sum(axis=-1, keepdims=True)
    return shares


def least_confidence(confidence: Array, right: Array, accuracy: float) -> float:
    """The lowest confidence from which on the share of right labels is `accuracy` or more.

    Args:
        confidence: of held-out texts (texts,), 0-1; `right`: whether their label was right.

    Returns:
        `NEVER` where no part of `LEAST` texts or more is as right.
    """
    return lowest(confidence, right - accuracy)


def lowest(confidence: Array, gain: Array) -> float:
    """The lowest confidence from which on the mean of a gain is not below zero.

    Confidences are told apart to four decimals, and no end is drawn amid even ones: a model that
    cannot tell sure from unsure says nearly the same of all texts, and rounding alone would send
    each of them to one side or the other.

    Args:
        confidence: (texts,), 0-1; `gain` of relying on the answer (texts,).

    Returns:
        `NEVER` where it is below zero for every part of `LEAST` texts or more.
    """
    level = np.round(confidence, 4)
    order = np.argsort(-level, kind="stable")
    level, total = level[order], np.cumsum(gain[order])
    is_end = np.append(level[1:] < level[:-1], True) & (np.arange(len(level)) >= LEAST - 1)
    good = np.flatnonzero(is_end & (total >= -1e-9))
    return float(level[good[-1]] - 5e-5) if len(good) else NEVER
