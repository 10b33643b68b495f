"""The cascade: the student answers what it is sure of, the encoder's head the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from yupana.tasks.classify import language
from yupana.tasks.classify.model import encoder, words
from yupana.tasks.classify.model.calibration import Confidence
from yupana.tasks.classify.model.head import Embed, Head, vectors
from yupana.tasks.classify.model.quick_student import QuickStudent
from yupana.tasks.classify.result import Classification, Text

Array = np.ndarray[Any, np.dtype[Any]]

LEAST_WORDS = 3
"""Of a text that says what it is about."""


@dataclass(frozen=True)
class Thresholds:
    """What a cascade learned from held-out texts.

    Attributes:
        student, head: how often they are right, by what they say.
        sure: confidence from which on the student's answer stands.
        decide: confidence from which on a label is relied on; below, a person decides.
    """

    student: Confidence
    head: Confidence
    sure: float
    decide: float


class Cascade:
    """A fitted classifier.

    Attributes:
        labels: in the order of the probabilities.
        languages: ISO 639 codes that it reads.
    """

    def __init__(
        self, labels: Sequence[str], languages: Sequence[str], student: QuickStudent, head: Head,
        thresholds: Thresholds, embed: Embed = encoder.embed,
    ) -> None:  # fmt: skip
        self.labels, self.languages = tuple(labels), tuple(languages)
        self.student, self.head, self.thresholds = student, head, thresholds
        self._embed = embed

    def probabilities(self, texts: Sequence[Text]) -> Array:
        """Calibrated probabilities, shape (texts, labels)."""
        of = self.thresholds
        shares = of.student.apply(self.student.probabilities([text.whole for text in texts]))
        unsure = np.flatnonzero(shares.max(axis=1) < of.sure)
        if len(unsure):
            embedded = vectors([texts[int(row)] for row in unsure], self._embed)
            shares[unsure] = of.head.apply(self.head.probabilities(embedded))
        return shares

    def classify(self, texts: Sequence[Text]) -> list[Classification]:
        """A label of each text, or why a person must give it."""
        if not texts:
            return []
        shares = self.probabilities(texts)
        return [self._one(text, row) for text, row in zip(texts, shares, strict=True)]

    def _one(self, text: Text, shares: Array) -> Classification:
        best = int(shares.argmax())
        confidence, spoken = float(shares[best]), language.of(text.text)
        abstention = ""
        if spoken and spoken not in self.languages:
            abstention = "language"
        elif len(words.words(text.whole)) < LEAST_WORDS:
            abstention = "too_short"
        elif confidence < self.thresholds.decide:
            abstention = "not_sure"
        by_label = {name: round(float(p), 4) for name, p in zip(self.labels, shares, strict=True)}
        return Classification(
            self.labels[best], round(confidence, 4), by_label, spoken, abstention
        )
