"""What a classifier must beat: the commonest label, and words counted without any meaning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Fitted = Callable[[Sequence[str]], Array]
"""Probabilities by label of texts, shape (texts, labels)."""


def majority(texts: Sequence[str], labels: Array, count: int) -> Fitted:
    """The shares of the labels, whatever the text.

    Args:
        labels: numbers (texts,); `count` of them.
    """
    shares = np.bincount(labels, minlength=count) / len(labels)
    return lambda asked: np.tile(shares, (len(asked), 1))


def tfidf(texts: Sequence[str], labels: Array, count: int) -> Fitted:
    """TF-IDF of words and pairs with a logistic regression: the field's plain way."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from threadpoolctl import threadpool_limits

    words = TfidfVectorizer(
        sublinear_tf=True, min_df=min(2, len(texts)), strip_accents="unicode", ngram_range=(1, 2)
    )
    regression = LogisticRegression(max_iter=200, class_weight="balanced")
    pipeline = make_pipeline(words, regression)
    with threadpool_limits(1):
        pipeline.fit(list(texts), labels)

    def probabilities(asked: Sequence[str]) -> Array:
        shares = np.zeros((len(asked), count))
        shares[:, regression.classes_] = pipeline.predict_proba(list(asked))
        return shares

    return probabilities


BASELINES = {"majority": majority, "tfidf": tfidf}
