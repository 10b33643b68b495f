"""Texts without capitals and accents, as whoever looks for words in them reads them."""

from __future__ import annotations

import unicodedata


def fold(text: str) -> str:
    """Small letters without accents (ñ becomes n): ¿DÓNDE? → ¿donde?"""
    letters = unicodedata.normalize("NFKD", text)
    return "".join(c for c in letters if not unicodedata.combining(c)).casefold()
