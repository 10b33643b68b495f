"""A number as people write it → a text that every engine reads alike.

The contract says which marks a column has; a text with other marks is no number. A column's unit
may stand beside its numbers (`12.5 %`, `S/ 1,200`, `25 °C`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from yupana.core.patterns import BLANKS
from yupana.data.columns import Column

if TYPE_CHECKING:
    from pyspark.sql import Column as SparkColumn

# Digits that a table's whole numbers of 32 and of 64 bits may have, and a decimal number.
INTEGER, LONG = r"^[+-]?[0-9]{1,10}$", r"^[+-]?[0-9]{1,19}$"
NUMBER = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"
# The largest double: what is beyond it, engines take for infinity.
LARGEST = 1.7976931348623157e308
# Signs of money beside their codes (ISO 4217), as banks of these countries write them.
SIGNS = {
    "PEN": ("S/.", "S/"), "USD": ("US$", "$"), "EUR": ("€",), "BRL": ("R$",), "BOB": ("Bs.", "Bs"),
    "ARS": ("$",), "CLP": ("$",), "COP": ("$",), "MXN": ("$",),
}  # fmt: skip


def plain(text: SparkColumn, column: Column) -> SparkColumn:
    """The number with a decimal point, a minus before it, and nothing else; null where its marks
    stand elsewhere than the contract says."""
    from pyspark.sql import functions as f

    common = column.decimal == "." and not column.thousands
    signs = _signs(column.unit)
    if common and not signs and column.negative == "minus":
        return text
    bare = _with_minus(_without(text, signs), column.negative)
    value = bare if common else _with_point(bare, column)
    # Most numbers are plain already, where the marks are the common ones.
    return f.when(text.rlike(NUMBER), text).otherwise(value) if common else value


def _signs(unit: str) -> list[str]:
    """What may stand beside a number of this unit, as patterns; longer ones first."""
    texts = (unit, *SIGNS.get(unit, ()))
    usable = [t for t in texts if re.fullmatch(r"[^0-9+\-.,'()\s][^0-9]*", t)]
    return [_literal(t) for t in sorted(usable, key=len, reverse=True)]


def _literal(text: str) -> str:
    """A text as a pattern of any engine; not all know every escape that Python makes."""
    return re.sub(r"([.^$*+?()\[\]{}|\\])", r"\\\1", text)


def _without(text: SparkColumn, signs: list[str]) -> SparkColumn:
    from pyspark.sql import functions as f

    if not signs:
        return text
    any_sign = "|".join(signs)
    before = f.regexp_replace(text, f"^([(+-]?)({any_sign}){BLANKS}*", "$1")
    return f.regexp_replace(before, f"{BLANKS}*({any_sign})([)-]?)$", "$2")


def _with_minus(text: SparkColumn, negative: str) -> SparkColumn:
    from pyspark.sql import functions as f

    if negative == "parentheses":
        return f.regexp_replace(text, r"^\(([^()+-]*)\)$", "-$1")
    if negative == "trailing":
        return f.regexp_replace(text, r"^([^+-]*)-$", "-$1")
    return text


def _with_point(text: SparkColumn, column: Column) -> SparkColumn:
    from pyspark.sql import functions as f

    point = _literal(column.decimal)
    mark = BLANKS if column.thousands == " " else _literal(column.thousands)
    grouped = f"|[1-9][0-9]{{0,2}}({mark}[0-9]{{3}})+" if column.thousands else ""
    right = text.rlike(f"^[+-]?([0-9]+{grouped})?({point}[0-9]*)?$")
    joined = f.regexp_replace(text, mark, "") if column.thousands else text
    return f.when(right, f.regexp_replace(joined, point, "."))
