"""What is wrong with a field, in plain words for people: pydantic's are English and name types.

https://docs.pydantic.dev/latest/errors/validation_errors/ lists the types of errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from yupana.core.spec import Bilingual

_OTHER = ("no es lo que el campo admite", "it is not what the field takes")
_TYPE = ("es de un tipo que el campo no admite", "it is of a type that the field does not take")
_WHOLE = ("debe ser un número entero", "it must be a whole number")
NO_DAY = Bilingual(es="ese día no existe", en="there is no such day")
_WORDS = {
    "missing": ("falta", "it is missing"),
    "extra_forbidden": ("no hay un campo de ese nombre", "there is no field of that name"),
    "json_invalid": ("no es JSON", "it is no JSON"),
    "model_type": ("no es un objeto JSON", "it is no JSON object"),
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "greater_than_equal": ("debe ser {ge} o más", "it must be {ge} or more"),
    "less_than_equal": ("debe ser {le} o menos", "it must be {le} or less"),
    "too_short": ("debe tener {min_length} o más", "it must have {min_length} or more"),
    "too_long": ("debe tener {max_length} o menos", "it must have {max_length} or fewer"),
    "string_too_long": (
        "debe tener {max_length} caracteres o menos",
        "it must have {max_length} characters or fewer",
    ),
    "string_pattern_mismatch": ("no tiene la forma debida", "it does not have the right form"),
    "date_parsing": (NO_DAY.es, NO_DAY.en),
    "date_from_datetime_parsing": (NO_DAY.es, NO_DAY.en),
}


def first(errors: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The error to tell, of those that pydantic lists: of a field that takes several types, the
    one on the type that was sent.
    """
    one = errors[0]
    same = (e for e in errors if e["loc"][:1] == one["loc"][:1])
    return next((e for e in same if not e["type"].endswith("_type")), one)


def words(error: Mapping[str, Any]) -> Bilingual:
    """What an error of pydantic's says, without what was sent."""
    kind, context = error["type"], {k: _plain(v) for k, v in error.get("ctx", {}).items()}
    if kind in ("literal_error", "enum"):
        # 'a', 'b' or 'c'
        choices = str(context["expected"]).replace(" or ", ", ")
        return Bilingual(es=f"debe ser uno de: {choices}", en=f"it must be one of: {choices}")
    if isinstance(context.get("error"), ValueError):
        es, _, en = str(context["error"]).partition(" / ")
        return Bilingual(es=es, en=en or es)
    es, en = _WORDS.get(kind, _TYPE if kind.endswith("_type") else _OTHER)
    return Bilingual(es=es.format(**context), en=en.format(**context))


def _plain(bound: Any) -> Any:
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound
