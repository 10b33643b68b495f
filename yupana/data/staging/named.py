"""Whether a code of a place is the one of the names that stand beside it.

Two systems of codes collide: a code of the other one is a valid code of another place, so that only
the names tell it. A name that the list does not know judges nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from yupana.data.contracts.rules import NAMED
from yupana.data.national.derivations import CODE_BY_NAMES

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def marked(
    spark: SparkSession, rows: DataFrame, column: str, names: tuple[str, ...], root: Path
) -> DataFrame:
    """Add `NAMED` and the column's name: 2 where the names are of another code, else 1.

    Args:
        column: of the code.
        names: columns of the place's names, the widest first.
        root: the project's folder.
    """
    from pyspark.sql import functions as f

    rows = CODE_BY_NAMES(spark, rows, "_by_name", names, root)
    other = f.col("_by_name") != f.col(column)
    return rows.withColumn(f"{NAMED}{column}", f.when(other, 2).otherwise(1)).drop("_by_name")
