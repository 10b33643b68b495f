"""Probabilities that mean what they say: one temperature (Guo et al. 2017, ICML), learned from
texts whose groups the model has not seen, and the confidence from which it may decide."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

LEAST = 30
"""Texts from which on a share of right labels says something."""

NEVER = 1.01
"""A confidence that none reaches."""


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

    found = minimize_scalar(loss, bounds=(np.log(0.2), np.log(20)), method="bounded")
    return float(np.exp(found.x))


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
    order = np.argsort(-confidence, kind="stable")
    shares = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(shares[LEAST - 1 :] >= accuracy)
    return float(confidence[order][good[-1] + LEAST - 1]) if len(good) else NEVER
