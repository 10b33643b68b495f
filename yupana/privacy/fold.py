"""A text as the patterns read it: lower case, no accents, ASCII digits, blanks and dashes.

The same data is typed in many shapes of Unicode (NFD accents, no-break spaces, zero-width marks,
full-width digits), and a pattern that knew them all would be slow and wrong.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from yupana.privacy.kinds import PLACEHOLDERS

GONE = "\x01"
"""Stands for a character that is masked: no pattern matches it, and it ends words."""
_BREAKS = frozenset("\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
# Accents, marks of no width, halves of a surrogate pair.
_NOTHING = frozenset(("Mn", "Me", "Cf", "Cs"))
_QUOTES = frozenset("‘’´`ʼ")


@dataclass(frozen=True)
class Folded:
    """A text folded; `places[i]` is where character i stood, None where nothing moved."""

    text: str
    original: str
    places: list[int] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where characters of the folded text stand in the original, with marks after them."""
        if self.places is None:
            return start, end
        last = self.places[end] if end < len(self.places) else len(self.original)
        return self.places[start], last


def fold(text: str) -> Folded:
    """The text in one plain shape; placeholders in it are blanked out."""
    plain = text.translate(_TABLE)
    moved = len(plain) != len(text)
    places = [i for i, c in enumerate(text) if _TABLE[ord(c)]] if moved else None
    if "[" in plain:
        plain = PLACEHOLDERS.sub(lambda m: GONE * len(m.group()), plain)
    return Folded(plain, text, places)


class _Table(dict[int, str]):
    """Code point → what it is folded to: one character, or none."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _folded(chr(code))
        return folded


def _folded(char: str) -> str:
    digit = unicodedata.decimal(char, None)
    if digit is not None:
        return str(digit)
    if char in _BREAKS:
        return "\n"
    if char.isspace():
        return " "
    category = unicodedata.category(char)
    if category in _NOTHING:
        return ""
    if category == "Pd" or char == "−":
        return "-"
    if char in _QUOTES:
        return "'"
    parts = unicodedata.normalize("NFKD", char.lower())
    bare = "".join(c for c in parts if not unicodedata.combining(c)).lower()
    if len(bare) == 1:
        return " " if bare.isspace() else bare
    return char.lower() if len(char.lower()) == 1 else char


_TABLE = _Table()
