"""The encoder's head: a logistic regression on embeddings, and on how near a text is to the words
that describe each label.

The nearness is what is known before any example (zero-shot), so that a label of few threads is
learned too; the regression weighs it against what the examples say. A description is a list of
phrases, and the nearest of them counts: its mean is near to everything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from yupana.tasks.classify.result import Text

Array = np.ndarray[Any, np.dtype[Any]]
Embed = Callable[[Sequence[str]], Array]

NEARNESS = 10.0
"""Times which the nearness counts beside the embedding, which has many more columns."""

STRENGTH = 1.0
"""Inverse of the regularisation."""


def vectors(texts: Sequence[Text], embed: Embed) -> Array:
    """Unit vectors of texts: the mean of the heading's and the text's where there are both."""
    both = embed([text.text for text in texts]) + embed([text.title for text in texts])
    length = np.linalg.norm(both, axis=1, keepdims=True)
    unit: Array = (both / np.maximum(length, 1e-9)).astype(np.float32)
    return unit


@dataclass(frozen=True)
class About:
    """Descriptions of labels.

    Attributes:
        phrases: unit vectors (phrases, width), those of each label together.
        starts: number of each label's first phrase (labels,).
    """

    phrases: Array
    starts: Array

    @classmethod
    def of(cls, descriptions: Sequence[str], embed: Embed) -> About:
        """From a description of each label: phrases between commas."""
        parts = [[p.strip() for p in text.split(",") if p.strip()] for text in descriptions]
        starts = np.cumsum([0, *(len(part) for part in parts[:-1])])
        return cls(embed([phrase for part in parts for phrase in part]), starts)

    def nearness(self, embedded: Array) -> Array:
        """Of texts to labels (texts, labels), around the mean: in this space every text is near
        to every other."""
        near = np.maximum.reduceat(embedded @ self.phrases.T, self.starts, axis=1)
        centred: Array = near - near.mean(axis=1, keepdims=True)
        return centred


@dataclass(frozen=True)
class Head:
    """A fitted head.

    Attributes:
        about: the labels' descriptions.
        weights: (labels, width + labels); `bias`: (labels,).
    """

    about: About
    weights: Array
    bias: Array

    def probabilities(self, embedded: Array) -> Array:
        """By label, shape (texts, labels).

        Args:
            embedded: as `vectors` gives them.
        """
        return softmax(_inputs(embedded, self.about) @ self.weights.T + self.bias)


def fit(embedded: Array, labels: Array, weight: Array, about: About) -> Head:
    """Fit a head.

    Args:
        embedded: of the texts (texts, width).
        labels: number of the label of each (texts,); a label without a text is told by its
            description alone.
        weight: of each text (texts,).
        about: of the labels.
    """
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    inputs, count = _inputs(embedded, about), len(about.starts)
    there = np.unique(labels)
    weights = np.zeros((count, inputs.shape[1]))
    # A label of which there is no text is told as rarely as the rarest, by nearness alone.
    bias = np.full(count, -3.0)
    weights[:, embedded.shape[1] :] = np.eye(count) * NEARNESS
    if len(there) > 1:
        regression = LogisticRegression(C=STRENGTH, max_iter=500)
        with threadpool_limits(1):
            regression.fit(inputs, labels, sample_weight=weight)
        # Of two labels scikit-learn tells one row: the other is its opposite.
        pair = len(there) == 2
        rows, ends = regression.coef_, regression.intercept_
        weights[there] = np.vstack([-rows, rows]) / 2 if pair else rows
        bias[there] = np.concatenate([-ends, ends]) / 2 if pair else ends
    return Head(about, weights.astype(np.float32), bias.astype(np.float32))


def softmax(logits: Array) -> Array:
    """Along the last axis."""
    high = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: Array = high / high.sum(axis=-1, keepdims=True)
    return shares


def _inputs(embedded: Array, about: About) -> Array:
    return np.hstack([embedded, NEARNESS * about.nearness(embedded)])
