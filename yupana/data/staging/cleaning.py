"""Cleaning that a contract declares: missing marks, code mapping, types, dates, outliers.

Nothing is changed silently: what cannot be read is named in `_malformed`, what an outlier
rule changes leaves a flag, and no row is dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from yupana.core.patterns import AROUND, BLANKS
from yupana.data.contracts import date_patterns
from yupana.data.contracts.columns import Column
from yupana.data.contracts.contract import Contract
from yupana.data.contracts.rules import MALFORMED
from yupana.data.parsing import LINE, SOURCE, TORN
from yupana.data.staging import number_text

if TYPE_CHECKING:
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame

SPARK_TYPES = {
    "string": "STRING",
    "integer": "INT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}
# What a text must look like to be read as a type: casts of engines are looser, each in its own
# way (`5D`, `NaN`, a year as its first of January, a clock time as today's). Years before 1000 are
# slips of typing, and the year 0 cannot be read back by all readers.
READABLE = {
    "integer": number_text.INTEGER,
    "number": number_text.NUMBER,
    "date": r"^[1-9][0-9]{3}-[0-9]{1,2}-[0-9]{1,2}$",
    "timestamp": r"^[1-9][0-9]{3}-[0-9]{1,2}-[0-9]{1,2}"
    r"([ T][0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?$",
}
# Yes and no, both ways: an engine's cast knows the English ones, and so half of a Spanish column.
YES = ("true", "t", "yes", "y", "1", "verdadero", "v", "si", "sí", "si\u0301", "s")
NO = ("false", "f", "no", "n", "0", "falso")
_LONGEST_SHAPE = 40


def values(text: DataFrame, contract: Contract) -> DataFrame:
    """Parsed texts → standard codes and types, with `_malformed` for what could not be read."""
    from pyspark.sql import functions as f

    names = text.columns
    there = [c for c in contract.used if c.name in names]
    own = [name for name in (LINE, SOURCE) if name in names]
    plain = text.select(*own, TORN, *(_plain(c).alias(c.name) for c in there))
    unread = [
        f.when(
            f.col(c.name).isNotNull() & _cast(c).isNull(),
            f.concat(f.lit(f"{c.name}: "), shape(f.col(c.name)), _why(c)),
        )
        for c in there
        if c.type != "string"
    ]
    torn = f.concat(f.lit("row: "), f.col(TORN))
    broken = f.nullif(f.concat_ws(", ", torn, *unread), f.lit(""))
    absent = [
        f.lit(None).cast(_type(c)).alias(c.name) for c in contract.used if c not in there
    ]
    return plain.select(
        *own, broken.alias(MALFORMED), *(_cast(c).alias(c.name) for c in there), *absent
    )


def outliers(rows: DataFrame, contract: Contract, flags: str) -> DataFrame:
    """Flag, null or clip what lies outside plausible bounds; `flags` lists what was found."""
    from pyspark.sql import functions as f

    conditions = []
    for column in contract.columns:
        if column.outlier is None or column.flag is None:
            continue
        low, high = column.outlier.minimum, column.outlier.maximum
        value = f.col(column.name)
        below = value < low if low is not None else f.lit(False)
        above = value > high if high is not None else f.lit(False)
        conditions.append(f.when(below | above, f.lit(column.flag)))
        changed = {
            "flag": value,
            "null": f.when(~(below | above), value),
            "clip": f.when(below, f.lit(low)).when(above, f.lit(high)).otherwise(value),
        }[column.outlier.action].cast(_type(column))
        rows = rows.withColumn(f"_clean_{column.name}", changed)
    if not conditions:
        return rows
    rows = rows.withColumn(flags, f.array_compact(f.array(*conditions)))
    for column in contract.columns:
        if column.flag:
            rows = rows.drop(column.name).withColumnRenamed(f"_clean_{column.name}", column.name)
    return rows


def shape(value: SparkColumn) -> SparkColumn:
    """What a value looks like without saying it: digits as `9`, letters and all that is not
    ASCII as `a`. Which of the latter are letters, engines know by other versions of Unicode."""
    from pyspark.sql import functions as f

    letters = f.regexp_replace(value.cast("string"), r"[A-Za-z]|[^\x00-\x7F]", "a")
    return f.substring(f.regexp_replace(letters, "[0-9]", "9"), 1, _LONGEST_SHAPE)


def value_shape(name: str, kind: str | None) -> SparkColumn:
    """The shape of a column's value; numbers without exponent, which engines write differently."""
    from pyspark.sql import functions as f

    if kind != "number":
        return shape(f.col(name))
    plain = f.expr(f"CAST(try_cast(`{name}` AS DECIMAL(38, 6)) AS STRING)")
    short = f.regexp_replace(plain, "[.]?0+$", "")
    return f.when(f.col(name).isNotNull(), f.coalesce(shape(short), f.lit("9e99")))


def _plain(column: Column) -> SparkColumn:
    """The field's text: trimmed, missing marks as null, zeros put back, codes as standard ones."""
    from pyspark.sql import functions as f

    text = f.btrim(f.col(column.name), f.lit(AROUND))
    if column.collapse:
        text = f.regexp_replace(text, f"{BLANKS}+", " ")
    text = f.nullif(text, f.lit(""))
    if column.missing:
        # A publisher writes its mark as it comes: NA, na, Na.
        text = f.when(~f.lower(text).isin(*(m.lower() for m in column.missing)), text)
    if column.pad:
        short = text.rlike(f"^[0-9]{{1,{column.pad}}}$")
        text = f.when(short, f.lpad(text, column.pad, "0")).otherwise(text)
    if column.codes:
        pairs = [f.lit(part) for pair in column.codes.items() for part in pair]
        text = f.coalesce(f.create_map(*pairs)[text], text)
    return text


def _why(column: Column) -> SparkColumn:
    """What to say beside the shape of a value that could not be read."""
    from pyspark.sql import functions as f

    if column.type != "number":
        return f.lit("")
    inexact = number_text.inexact(f.col(column.name), column)
    return f.when(inexact, f.lit(number_text.INEXACT_REASON)).otherwise(f.lit(""))


def _type(column: Column) -> str:
    return "BIGINT" if column.long else SPARK_TYPES[column.type]


def _cast(column: Column) -> SparkColumn:
    from pyspark.sql import functions as f

    text = f.col(column.name)
    if column.date_formats:
        return f.coalesce(*(_date(column, pattern) for pattern in column.date_formats))
    if column.type == "string":
        return text.try_cast(_type(column))
    if column.type == "boolean":
        word = f.lower(text)
        return f.when(word.isin(*YES), True).when(word.isin(*NO), False)
    if column.type in ("integer", "number"):
        text = number_text.plain(text, column)
    value = text.try_cast(_type(column))
    readable = text.rlike(number_text.LONG if column.long else READABLE[column.type])
    if column.type == "number":
        readable &= f.abs(value) <= number_text.LARGEST
        readable &= ~number_text.inexact(f.col(column.name), column)
    return f.when(readable, value)


def _date(column: Column, pattern: str) -> SparkColumn:
    """A text that matches the pattern whole, as a date or an instant; else null.

    Its parts are put together as ISO 8601: engines differ in what else a pattern accepts.
    """
    from pyspark.sql import functions as f

    text = f.col(column.name)
    expression, groups = date_patterns.expression(pattern)
    part = {g: f.regexp_extract(text, expression, i) for i, g in enumerate(groups, 1)}
    year = f.when(f.length(part["y"]) == 2, f.concat(f.lit("20"), part["y"])).otherwise(part["y"])
    month = f.lpad(part["M"], 2, "0") if "M" in part else _month_number(part["N"])
    iso = f.concat_ws("-", year, month, f.lpad(part["d"], 2, "0"))
    if column.type == "timestamp" and "H" in part:
        clock = (f.lpad(part[g], 2, "0") if g in part else f.lit("00") for g in "Hms")
        iso = f.concat(iso, f.lit(" "), f.concat_ws(":", *clock))
    value = iso.try_cast(_type(column))
    return f.when(text.rlike(expression), value)


def _month_number(name: SparkColumn) -> SparkColumn:
    from pyspark.sql import functions as f

    pairs = [f.lit(x) for pair in date_patterns.MONTH_NUMBERS.items() for x in pair]
    return f.create_map(*pairs)[f.lower(name)]
