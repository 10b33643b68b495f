"""Columns that a contract derives: `transformLogic` names one of the functions here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from yupana.core.errors import TerminalError
from yupana.data import codes
from yupana.data.contract import Column, Contract

if TYPE_CHECKING:
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame, SparkSession


def add(spark: SparkSession, rows: DataFrame, contract: Contract) -> DataFrame:
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
        rows = DERIVATIONS[column.derive](spark, rows, column)
    return rows


def ubigeo_inei(spark: SparkSession, rows: DataFrame, column: Column) -> DataFrame:
    """INEI code by department, province and district name (accents and case ignored)."""
    from pyspark.sql import functions as f

    lookup = spark.createDataFrame(
        [(*names, code) for names, code in codes.ubigeos().items()],
        f"_department STRING, _province STRING, _district STRING, `{column.name}` STRING",
    )
    keys = ["_department", "_province", "_district"]
    for key, name in zip(keys, column.derive_from, strict=True):
        rows = rows.withColumn(key, _plain(name))
    return rows.join(f.broadcast(lookup), keys, "left").drop(*keys)


def epiweek_start(spark: SparkSession, rows: DataFrame, column: Column) -> DataFrame:
    """First day of a PAHO epidemiological week; null for a week that its year does not have."""
    from pyspark.sql import functions as f

    year, week = column.derive_from
    calendar = spark.createDataFrame(
        list(codes.epiweek_starts(1990, 2040)), f"_year INT, _week INT, `{column.name}` DATE"
    )
    same = (f.col(year) == f.col("_year")) & (f.col(week) == f.col("_week"))
    return rows.join(f.broadcast(calendar), same, "left").drop("_year", "_week")


DERIVATIONS: dict[str, Callable[[SparkSession, DataFrame, Column], DataFrame]] = {
    "ubigeo_inei": ubigeo_inei,
    "epiweek_start": epiweek_start,
}


def _plain(name: str) -> SparkColumn:
    """`codes.plain_name` as a Spark expression."""
    from pyspark.sql import functions as f

    bare = f.translate(f.upper(f.col(name)), "ÁÀÂÄÉÈÊËÍÌÎÏÓÒÔÖÚÙÛÜ", "AAAAEEEEIIIIOOOOUUUU")
    return f.trim(f.regexp_replace(bare, r"\s+", " "))
