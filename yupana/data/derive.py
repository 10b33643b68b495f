"""Columns that a contract derives: `transformLogic` names one of the functions here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.core.errors import TerminalError
from yupana.core.patterns import BLANKS
from yupana.data import codes
from yupana.data.columns import Column
from yupana.data.contract import Contract

if TYPE_CHECKING:
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame, SparkSession

# Life stages of Peru's health ministry (R.M. 538-2009/MINSA), by completed years of age.
LIFE_STAGES = ((0, 11), (12, 17), (18, 29), (30, 59), (60, 120))
_DAYS_A_YEAR = 365.25


def add(spark: SparkSession, rows: DataFrame, contract: Contract, root: Path) -> DataFrame:
    """Add every derived column of the contract; null where nothing matches.

    Raises:
        TerminalError: the contract names a derivation that does not exist.
    """
    for column in contract.columns:
        if column.derive is None:
            continue
        if column.derive not in DERIVATIONS:
            raise TerminalError(
                f"The contract derives '{column.name}' by '{column.derive}', which is unknown.",
                where=f"expectations/{contract.name}/contract.yaml",
                fix=f"Use one of: {', '.join(DERIVATIONS)}.",
            )
        rows = DERIVATIONS[column.derive](spark, rows, column, root)
    return rows


def ubigeo_inei(spark: SparkSession, rows: DataFrame, column: Column, root: Path) -> DataFrame:
    """INEI code by department, province and district name; accents, case and reviewed
    spellings (expectations/ubigeo/aliases.csv) are seen through."""
    from pyspark.sql import functions as f

    keys = ["_department", "_province", "_district"]
    places = codes.ubigeos_with_aliases(root).items()
    lookup = _lookup(spark, [*keys, column.name], [(*names, code) for names, code in places])
    for key, name in zip(keys, column.derive_from, strict=True):
        rows = rows.withColumn(key, _plain(name))
    return rows.join(f.broadcast(lookup), keys, "left").drop(*keys)


def epiweek_start(spark: SparkSession, rows: DataFrame, column: Column, root: Path) -> DataFrame:
    """First day of a PAHO epidemiological week; null for a week that its year does not have."""
    from pyspark.sql import functions as f

    year, week = column.derive_from
    weeks = list(codes.epiweek_starts(codes.FIRST_YEAR, codes.LAST_YEAR))
    calendar = _lookup(spark, ["_year", "_week", column.name], weeks)
    same = (f.col(year) == f.col("_year")) & (f.col(week) == f.col("_week"))
    return rows.join(f.broadcast(calendar), same, "left").drop("_year", "_week")


def date_of(spark: SparkSession, rows: DataFrame, column: Column, root: Path) -> DataFrame:
    """The day of year, month and (first when not given) day columns; null for 30 February."""
    parts = [f"`{name}`" for name in column.derive_from]
    day = parts[2] if len(parts) > 2 else "1"
    text = f"concat_ws('-', {parts[0]}, {parts[1]}, {day})"
    date = f"CAST(try_to_timestamp({text}, 'y-M-d') AS DATE)"
    return rows.selectExpr("*", f"{date} AS `{column.name}`")


def life_stage(spark: SparkSession, rows: DataFrame, column: Column, root: Path) -> DataFrame:
    """Age in `A` years, `M` months or `D` days → life stage; null when it cannot be an age."""
    from pyspark.sql import functions as f

    age, unit = (f.col(name) for name in column.derive_from)
    years = (
        f.when(unit == "A", age)
        .when(unit == "M", f.floor(age / 12))
        .when(unit == "D", f.floor(age / _DAYS_A_YEAR))
    )
    stages = [f.when(years.between(*s), f.lit(f"{s[0]}-{s[1]}")) for s in LIFE_STAGES]
    return rows.withColumn(column.name, f.coalesce(*stages))


Derivation = Callable[["SparkSession", "DataFrame", Column, Path], "DataFrame"]
DERIVATIONS: dict[str, Derivation] = {
    "ubigeo_inei": ubigeo_inei,
    "epiweek_start": epiweek_start,
    "date_of": date_of,
    "life_stage": life_stage,
}


def _lookup(spark: SparkSession, names: list[str], rows: Sequence[tuple[Any, ...]]) -> DataFrame:
    """A small table; handed over by Arrow, since rows would start Python workers (4 s)."""
    import pyarrow as pa

    columns = zip(*rows, strict=True)
    table = pa.table([pa.array(list(values)) for values in columns], names=names)
    made: DataFrame = spark.createDataFrame(table)
    return made


def _plain(name: str) -> SparkColumn:
    """`codes.plain_name` as a Spark expression."""
    from pyspark.sql import functions as f

    upper = f.upper(f.col(name))
    # `translate` is slow, and most names have nothing to translate.
    bare = f.when(f.octet_length(upper) == f.length(upper), upper).otherwise(
        f.translate(upper, "ÁÀÂÄÉÈÊËÍÌÎÏÓÒÔÖÚÙÛÜ", "AAAAEEEEIIIIOOOOUUUU")
    )
    single = f.when(bare.contains("  "), f.regexp_replace(bare, f"{BLANKS}+", " ")).otherwise(bare)
    return f.trim(single)
