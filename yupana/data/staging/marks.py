"""Marks for the rules that no row can be judged by alone: 2 breaks the rule, 1 keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from yupana.data.contracts.contract import Contract
from yupana.data.contracts.rules import REPEATED
from yupana.data.national.derivations import CODE_BY_NAMES
from yupana.data.parsing import LINE, SOURCE

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def by_names(spark: SparkSession, rows: DataFrame, contract: Contract, root: Path) -> DataFrame:
    """Add the column of each rule `names`: 2 where the names beside a place's code are of another.

    Two systems of codes collide: a code of the other one is a valid code of another place, so that
    only the names tell it. A name that the list does not know judges nothing, and a code that is
    none breaks its own rule.

    Args:
        root: the project's folder.
    """
    from pyspark.sql import functions as f

    listed = {rule.column: rule.keeps for rule in contract.rules if rule.kind == "codes"}
    for rule in contract.rules:
        if rule.kind == "names":
            rows = CODE_BY_NAMES(spark, rows, "_by_name", rule.values, root)
            other = f.col("_by_name") != f.col(rule.subject)
            code_listed = f.expr(listed.get(rule.subject, "TRUE"))
            # Of a row that is there: with a bare literal engines differ in whether nulls may stand.
            verdict = f.when(other & code_listed, 2).when(f.col(LINE).isNotNull(), 1)
            rows = rows.withColumn(rule.column, verdict)
            rows = rows.drop("_by_name")
    return rows


FEWEST = 20
"""Different rows from which on it is no chance that each stands an even number of times: 1 in a
million if every second does."""


def repeated(rows: DataFrame, period: str, columns: Sequence[str]) -> DataFrame:
    """Add `REPEATED`: 2 for the second half of a period whose rows all came twice, else 1.

    A week can stand in two files of a release, or be copied within one.
    Where there is no key, equal rows are different cases: one pair says nothing, all rows do.

    Args:
        period: the column that tells a row's period.
        columns: by which rows are equal.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as f

    if not _suspected(rows, period, columns):
        return rows.withColumn(REPEATED, f.when(f.col(LINE).isNotNull(), 1))
    same, of_period = Window.partitionBy(period, *columns), Window.partitionBy(period)
    order = [f.col(c) for c in (SOURCE, LINE) if c in rows.columns]
    rows = rows.withColumn("_equal", f.count(f.lit(1)).over(same))
    rows = rows.withColumn("_number", f.row_number().over(same.orderBy(*order)))
    odd = f.sum(f.col("_equal") % 2).over(of_period)
    different = f.sum(f.when(f.col("_number") == 1, 1).otherwise(0)).over(of_period)
    repeated = (odd == 0) & (different >= FEWEST) & f.col(period).isNotNull()
    surplus = repeated & (f.col("_number") * 2 > f.col("_equal"))
    # Of a row that is there: with a bare literal engines differ in whether nulls may stand.
    rows = rows.withColumn(REPEATED, f.when(surplus, 2).when(f.col(LINE).isNotNull(), 1))
    return rows.drop("_equal", "_number")


def _suspected(rows: DataFrame, period: str, columns: Sequence[str]) -> bool:
    """Whether some period may be repeated: windows over all rows take longer than all of staging.

    The exclusive or of hashes is 0 where each hash stands an even number of times.
    """
    from pyspark.sql import functions as f

    evens = f.bit_xor(f.xxhash64(period, *columns)) == 0
    enough = f.count(f.lit(1)) >= 2 * FEWEST
    periods = rows.groupBy(period).agg((evens & enough).alias("all_twice"))
    return not periods.where("all_twice").where(f.col(period).isNotNull()).isEmpty()
