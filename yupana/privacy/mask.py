"""A text with its personal data replaced by words that say what stood there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from yupana.privacy.detect import detect
from yupana.privacy.kinds import Kind

# What is masked takes words away from what stands beside it: the rest is read again. Made texts
# need two readings at most.
_READINGS = 10


@dataclass(frozen=True)
class Masked:
    """A text without personal data, and how often each kind stood in it."""

    text: str
    counts: Mapping[Kind, int]


def mask(text: str) -> Masked:
    """Put a placeholder (`[DNI]`, `[NOMBRE]`) for each piece of personal data; again is the "
    "same."""
    counts: Counter[Kind] = Counter()
    for _ in range(_READINGS):
        spans = detect(text)
        if not spans:
            break
        parts: list[str] = []
        last = 0
        for span in spans:
            parts += (text[last : span.start], span.kind.placeholder)
            last = span.end
        text = "".join((*parts, text[last:]))
        counts.update(span.kind for span in spans)
    return Masked(text, dict(counts))
