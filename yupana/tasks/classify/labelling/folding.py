"""Texts without accents and capitals, and words and patterns that are looked for in them.

Patterns run in the regex engine of Polars (Rust's), whose time grows with the text and never
explodes: https://docs.rs/regex/latest/regex/#untrusted-input. It has no look-around and no
back-references.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from yupana.core import patterns
from yupana.tasks.classify import fold as folded

LONGEST = 20_000
"""Characters of a text that are looked at."""

_WORD = re.compile(r"\w+\*?")


def fold(text: str) -> str:
    """The first `LONGEST` characters in small letters, without accents (ñ becomes n)."""
    return folded.fold(text[:LONGEST])


def of_words(phrases: Sequence[str]) -> str:
    """The pattern of any of some words or phrases in folded texts.

    A word ends where its letters end, unless a `*` follows: `perr*` is also in `perros`.

    Raises:
        ValueError: a phrase has no word, or too short a beginning before its `*`.
    """
    return f"\\b(?:{'|'.join(map(_phrase, phrases))})\\b"


def _phrase(phrase: str) -> str:
    words = _WORD.findall(fold(phrase))
    if not words:
        raise ValueError(f"'{phrase}' has no word")
    if short := next((w for w in words if w.endswith("*") and len(w) < 4), ""):
        raise ValueError(f"'{short}' begins too many words: write three letters or more before *")
    return r"\W+".join(word.replace("*", r"\w*") for word in words)


def of_pattern(pattern: str) -> str:
    """The pattern for folded texts of one that somebody wrote with accents and capitals.

    Raises:
        ValueError: it is no pattern, has what a bounded engine cannot do, is too large, or finds
            the empty text, which is in every text.
    """
    import polars as pl

    letters = unicodedata.normalize("NFKD", pattern)
    plain = f"(?i){''.join(c for c in letters if not unicodedata.combining(c))}"
    if fault := patterns.fault(plain):
        raise ValueError(fault)
    try:
        finds_nothing = pl.Series([""]).str.contains(plain)[0]
    except pl.exceptions.ComputeError as error:
        # Polars' text has the engine's own sentence among others on its query.
        lines = [line for line in str(error).splitlines() if "error" in line.lower()]
        raise ValueError(lines[0].strip()) from error
    if finds_nothing:
        raise ValueError("it finds the empty text, which is in every text")
    return plain
