"""The student as it answers: plain arrays, and a word's vectors summed once for all texts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from yupana.tasks.classify.model import words
from yupana.tasks.classify.model.head import softmax

Array = np.ndarray[Any, np.dtype[Any]]

MOST_WORDS = 1 << 15
"""Whose sums are kept."""


class QuickStudent:
    """A fitted student.

    Args:
        vectors: of the buckets (`words.BUCKETS`, width).
        weights: (labels, width); `bias`: (labels,).
    """

    def __init__(self, vectors: Array, weights: Array, bias: Array) -> None:
        # The linear layer is taken before the mean: labels are fewer than the vectors' width.
        self.vectors, self.weights, self.bias = vectors, weights, bias
        self._logits = vectors.astype(np.float32) @ weights.T.astype(np.float32)
        self._of_word = lru_cache(MOST_WORDS)(self._sum)

    def _sum(self, word: str) -> tuple[Array, int]:
        numbers = words.of_word(word)
        total: Array = self._logits[list(numbers)].sum(axis=0)
        return total, len(numbers)

    def logits(self, text: str) -> Array:
        """Of the labels (labels,)."""
        ours = words.words(text)
        if not ours:
            return np.asarray(self._logits[0] + self.bias)
        sums, counts = zip(*(self._of_word(word) for word in ours), strict=True)
        total, count = np.sum(sums, axis=0), sum(counts)
        if pairs := words.pairs(ours):
            total, count = total + self._logits[pairs].sum(axis=0), count + len(pairs)
        return np.asarray(total / count + self.bias)

    def probabilities(self, texts: Sequence[str]) -> Array:
        """By label, uncalibrated, shape (texts, labels)."""
        if not texts:
            return np.zeros((0, len(self.bias)))
        return softmax(np.stack([self.logits(text) for text in texts]))

    def contributions(self, text: str) -> dict[str, Array]:
        """By word of the text, what it adds to the labels' logits (labels,)."""
        ours = words.words(text)
        count = sum(self._of_word(word)[1] for word in ours) + len(words.pairs(ours))
        parts: dict[str, Array] = {}
        for word in ours:
            parts[word] = parts.get(word, 0) + self._of_word(word)[0] / max(count, 1)
        return parts
