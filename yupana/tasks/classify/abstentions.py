"""Why a person decides, in words, by the code of the reason."""

from __future__ import annotations

from yupana.core.spec import Bilingual
from yupana.tasks.classify import language as languages

_REASONS = {
    "language": ("está en {es}", "it is in {en}"),
    "not_sure": ("el sistema no está seguro", "the system is not sure"),
    "too_short": ("es muy corto", "it is very short"),
    "no_words": ("no tiene palabras", "it has no words"),
    "suspended": ("el sistema está suspendido", "the system is suspended"),
}
_OTHER = ("el sistema no pudo clasificarlo", "the system could not classify it")


def reason(code: str, language: str) -> Bilingual:
    """Why a person decides.

    Args:
        language: ISO 639 code of the text's language; empty: not known.
    """
    es, en = _REASONS.get(code, _OTHER)
    name = languages.name(language)
    return Bilingual(es=es.format(es=name.es), en=en.format(en=name.en))
