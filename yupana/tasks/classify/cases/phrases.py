"""Phrases in texts as people write them: without accents, capitals and punctuation."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from pydantic import Field, field_validator

from yupana.core.types import Frozen

_BETWEEN = re.compile(r"[\W_]+")
_MARKS = re.compile(r"[\u0300-\u036f]")


def plain(text: str) -> str:
    """Small letters without accents, the words one blank apart: "¿A qué HORA?" → "a que hora"."""
    bare = _MARKS.sub("", unicodedata.normalize("NFKD", text)).casefold()
    return _BETWEEN.sub(" ", bare).strip()


class Phrases(Frozen):
    """Which texts a rule is for.

    Attributes:
        words: each must be there, or one of several ("horario|a que hora"); `*` ends a word
            anyhow ("inunda*").
        unless: none of these may be there.
        pattern: a regular expression that is found in the text as `plain` leaves it.
    """

    words: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    pattern: str = Field("", max_length=500)

    @field_validator("words", "unless")
    @classmethod
    def _have_letters(cls, phrases: tuple[str, ...]) -> tuple[str, ...]:
        if empty := [p for p in phrases if not all(plain(one) for one in p.split("|"))]:
            raise ValueError(f"'{empty[0]}' has a part without letters")
        return phrases

    @field_validator("pattern")
    @classmethod
    def _is_a_pattern(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError("the pattern is no regular expression") from error
        return pattern

    def fit(self, text: str) -> bool:
        """Whether the rule is for a text."""
        bare = plain(text)
        return (
            all(_compiled(words).search(bare) for words in self.words)
            and not any(_compiled(words).search(bare) for words in self.unless)
            and (not self.pattern or re.search(self.pattern, bare) is not None)
        )


@lru_cache(maxsize=4096)
def _compiled(words: str) -> re.Pattern[str]:
    parts = [
        re.escape(plain(one.rstrip("*"))) + (r"\w*" if one.endswith("*") else "")
        for one in words.split("|")
    ]
    return re.compile(rf"\b(?:{'|'.join(parts)})\b")
