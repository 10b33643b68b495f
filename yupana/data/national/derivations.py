"""What contracts name of the country: derivations (`transformLogic`), and generated code lists.

A derivation takes the engine, the rows, the new column's name, the columns that it is derived from
and the project's folder, and gives the rows with the column, null where nothing matches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.core.patterns import BLANKS
from yupana.data.national import calendar, places

if TYPE_CHECKING:
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame, SparkSession

# Life stages of Peru's health ministry (R.M. 538-2009/MINSA), by completed years of age.
LIFE_STAGES = ((0, 11), (12, 17), (18, 29), (30, 59), (60, 120))
_DAYS_A_YEAR = 365.25


def ubigeo_inei(
    spark: SparkSession, rows: DataFrame, name: str, sources: tuple[str, ...], root: Path
) -> DataFrame:
    """INEI code by department, province and district name; accents, case and reviewed
    spellings (expectations/ubigeo/aliases.csv) are seen through."""
    from pyspark.sql import functions as f

    keys = ["_department", "_province", "_district"]
    codes = places.ubigeos_with_aliases(root).items()
    lookup = _lookup(spark, [*keys, name], [(*names, code) for names, code in codes])
    for key, source in zip(keys, sources, strict=True):
        rows = rows.withColumn(key, _plain(source))
    return rows.join(f.broadcast(lookup), keys, "left").drop(*keys)


def epiweek_start(
    spark: SparkSession, rows: DataFrame, name: str, sources: tuple[str, ...], root: Path
) -> DataFrame:
    """First day of an epidemiological week; null for a week that its year does not have."""
    from pyspark.sql import functions as f

    year, week = sources
    weeks = [(*key, day) for key, day in calendar.week_starts().items()]
    lookup = _lookup(spark, ["_year", "_week", name], weeks)
    same = (f.col(year) == f.col("_year")) & (f.col(week) == f.col("_week"))
    return rows.join(f.broadcast(lookup), same, "left").drop("_year", "_week")


def life_stage(
    spark: SparkSession, rows: DataFrame, name: str, sources: tuple[str, ...], root: Path
) -> DataFrame:
    """Age in `A` years, `M` months or `D` days → life stage; null when it cannot be an age."""
    from pyspark.sql import functions as f

    age, unit = (f.col(source) for source in sources)
    years = (
        f.when(unit == "A", age)
        .when(unit == "M", f.floor(age / 12))
        .when(unit == "D", f.floor(age / _DAYS_A_YEAR))
    )
    stages = [f.when(years.between(*s), f.lit(f"{s[0]}-{s[1]}")) for s in LIFE_STAGES]
    return rows.withColumn(name, f.coalesce(*stages))


CODE_BY_NAMES = ubigeo_inei
"""Gives the code of a place by its names, the widest first."""

DERIVATIONS = {
    "ubigeo_inei": ubigeo_inei,
    "epiweek_start": epiweek_start,
    "life_stage": life_stage,
}


def _lookup(spark: SparkSession, names: list[str], rows: Sequence[tuple[Any, ...]]) -> DataFrame:
    """A small table; handed over by Arrow, since rows would start Python workers (4 s)."""
    import pyarrow as pa

    columns = zip(*rows, strict=True)
    table = pa.table([pa.array(list(values)) for values in columns], names=names)
    frame: DataFrame = spark.createDataFrame(table)
    return frame


def _plain(name: str) -> SparkColumn:
    """`places.plain_name` as a Spark expression."""
    from pyspark.sql import functions as f

    upper = f.upper(f.col(name))
    # `translate` is slow, and most names have nothing to translate.
    bare = f.when(f.octet_length(upper) == f.length(upper), upper).otherwise(
        f.translate(upper, "ÁÀÂÄÉÈÊËÍÌÎÏÓÒÔÖÚÙÛÜ", "AAAAEEEEIIIIOOOOUUUU")
    )
    single = f.when(bare.contains("  "), f.regexp_replace(bare, f"{BLANKS}+", " ")).otherwise(bare)
    return f.trim(single)


GENERATED: dict[str, Callable[[], Iterator[Iterable[object]]]] = {
    "ubigeo": places.rows,
    "epiweeks": calendar.rows,
}
"""Header and rows of each code list that is no file, by its name: `codelist:<name>`."""
