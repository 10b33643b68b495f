"""In which language a text is written, by two detectors that must not contradict each other.

CLD2 (`pycld2`) knows Quechua and Aymara; franc (`pyfranc`, trigrams) also languages of the Amazon.
Both guess at short texts, so that those have no language.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import lru_cache

from yupana.core.spec import Bilingual

LEAST_LETTERS = 20
"""Both are weak below."""

ALONE_LETTERS = 60
"""From which on the word of one detector is enough, where the other has none."""

NAMES = {
    "es": Bilingual(es="español", en="Spanish"),
    "en": Bilingual(es="inglés", en="English"),
    "qu": Bilingual(es="quechua", en="Quechua"),
    "ay": Bilingual(es="aimara", en="Aymara"),
    "pt": Bilingual(es="portugués", en="Portuguese"),
    "fr": Bilingual(es="francés", en="French"),
    "shp": Bilingual(es="shipibo-konibo", en="Shipibo-Konibo"),
    "cni": Bilingual(es="asháninka", en="Asháninka"),
}
"""The languages that are told apart, by ISO 639 code."""

_FRANC = {
    "spa": "es", "eng": "en", "quy": "qu", "quz": "qu", "qug": "qu", "qvh": "qu", "ayr": "ay",
    "por": "pt", "fra": "fr", "shp": "shp", "cni": "cni",
}  # fmt: skip
_FRANC_ALONE = {"shp", "cni"}
"""Languages that CLD2 does not know, so that it cannot agree."""


def name(code: str) -> Bilingual:
    """How people call a language; an empty code is one that is not known."""
    return NAMES.get(code, Bilingual(es="lengua no reconocida", en="language not recognised"))


def of(text: str) -> str:
    """The ISO 639 code of a text's language, one of `NAMES`; empty where it cannot be said.

    Example: of("Ñanniykupi qhilli kashan, pipas pichanchu") == "qu"
    """
    letters = sum(character.isalpha() for character in text)
    if letters < LEAST_LETTERS:
        return ""
    first, second = _cld2(text), _franc(text)
    if first == second:
        return first
    if second in _FRANC_ALONE and letters >= ALONE_LETTERS:
        return second
    if not first or not second:
        return (first or second) if letters >= ALONE_LETTERS else ""
    # They contradict each other: CLD2 has the better word of these languages, given enough of it.
    return first if letters >= ALONE_LETTERS else ""


def _cld2(text: str) -> str:
    import pycld2

    # Control and private characters are no text to it, and it refuses the whole.
    clean = "".join(c for c in text if unicodedata.category(c)[0] != "C" or c in "\n\t")
    try:
        reliable, _, details = pycld2.detect(clean, bestEffort=False)
    except pycld2.error:
        return ""
    code = details[0][1]
    return code if reliable and code in NAMES else ""


def _franc(text: str) -> str:
    ranked = _detector()(text, whitelist=list(_FRANC))
    return _FRANC.get(ranked[0][0], "")


@lru_cache
def _detector() -> Callable[..., list[tuple[str, float]]]:
    # Its tables take a moment to be made.
    from pyfranc.franc import lang_detect

    detect: Callable[..., list[tuple[str, float]]] = lang_detect
    return detect
