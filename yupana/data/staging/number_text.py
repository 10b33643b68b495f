"""A number as people write it → a text that every engine reads alike.

The contract says which marks a column has; a text with other marks is no number. A column's unit
may stand beside its numbers (`12.5 %`, `S/ 1,200`, `25 °C`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from yupana.core.patterns import BLANKS
from yupana.data.contracts.columns import Column
from yupana.data.contracts.contract import Contract
from yupana.data.contracts.rules import MALFORMED

if TYPE_CHECKING:
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame

# Digits that a table's whole numbers of 32 and of 64 bits may have, and a decimal number.
INTEGER, LONG = r"^[+-]?[0-9]{1,10}$", r"^[+-]?[0-9]{1,19}$"
NUMBER = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"
WHOLE = r"^[+-]?[0-9]+$"
# From here on a double holds not every whole number: two of them would become one.
INEXACT = 2.0**53
INEXACT_REASON = " (above 2^53; integer with format: i64 keeps its digits, or string)"
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


def inexact(text: SparkColumn, column: Column) -> SparkColumn:
    """Whether a text is a whole number that a double may not hold; null where it is no number."""
    from pyspark.sql import functions as f

    digits = plain(text, column)
    return (f.abs(digits.try_cast("DOUBLE")) >= INEXACT) & digits.rlike(WHOLE)


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


def doubts(contract: Contract, staged: DataFrame) -> Iterator[str]:
    """One sentence for each column where a comma stands in refused numbers, and no option says
    what it means.

    `1.234` beside `1,5` is a thousand or a little more than one: only the publisher knows.
    """
    from pyspark.sql import functions as f

    usual = [
        c.name for c in contract.used
        if c.type == "number" and c.decimal == "." and not c.thousands
    ]  # fmt: skip
    if not usual:
        return
    # Staging writes shapes, a column after the other: `rain: 9,9, wind: aa`.
    commas = (
        f.count(f.when(f.col(MALFORMED).rlike(f"(^|, ){name}: [^,]*9,9"), True)).alias(name)
        for name in usual
    )
    for name, count in staged.agg(*commas).collect()[0].asDict().items():
        if count:
            yield (
                f"{name}: {count:,} values have a comma and are in quarantine, and a point is read "
                "as the decimal mark; `decimal` and `thousands` in the contract say what they mean"
            )
