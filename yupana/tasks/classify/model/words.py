"""Texts as numbers of hashed words, parts of words and pairs of words.

Parts of words carry a misspelt word's meaning, and hashing needs no vocabulary (Bojanowski et al.
2017, TACL; Weinberger et al. 2009, ICML).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from yupana.tasks.classify.fold import fold

BUCKETS = 1 << 16
PART = (3, 5)
"""Shortest and longest part of a word, in characters with the marks of its ends."""

MOST_WORDS = 400
"""Of a text; the rest of a longer one is not read."""

_WORD = re.compile(r"\w+")

Array = np.ndarray[Any, np.dtype[np.int64]]


def words(text: str) -> list[str]:
    """The first `MOST_WORDS` words, folded. Digits are all one: a number is no topic."""
    # Cut first: a megabyte is not folded for its first words.
    every = _WORD.findall(fold(text[: MOST_WORDS * 20]))[:MOST_WORDS]
    return ["0" if word.isdigit() else word for word in every]


def numbers(text: str) -> Array:
    """The buckets of a text's words, parts and pairs, at least one."""
    ours = words(text)
    whole = [number for word in ours for number in of_word(word)] + pairs(ours)
    return np.array(whole or [0], dtype=np.int64)


def pairs(ours: Sequence[str]) -> list[int]:
    """The buckets of neighbouring words."""
    return [_bucket(f"{one} {other}") for one, other in pairwise(ours)]


@lru_cache(maxsize=1 << 16)
def of_word(word: str) -> tuple[int, ...]:
    """The bucket of a word, and those of its parts."""
    marked = f"<{word[:30]}>"
    low, high = PART
    parts = {
        marked[start : start + size]
        for size in range(low, high + 1)
        for start in range(len(marked) - size + 1)
    }
    return (_bucket(marked), *sorted(_bucket(part) for part in parts - {marked}))


def _bucket(text: str) -> int:
    return zlib.crc32(text.encode()) % BUCKETS
