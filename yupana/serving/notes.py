"""Caveats and reasons not to answer, Spanish and English."""

from __future__ import annotations

Note = dict[str, str]
"""`code` for programs, and the words `es` and `en`."""


def note(code: str, es: str, en: str) -> Note:
    return {"code": code, "es": es, "en": en}


TRIAL = note(
    "trial",
    "Modelo a prueba: no está aprobado para decidir.",
    "Model on trial: not approved for decisions.",
)
