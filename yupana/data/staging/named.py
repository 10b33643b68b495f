"""Whether a code of a place is the one of the names that stand beside it.

Two systems of codes collide: a code of the other one is a valid code of another place, so that only
the names tell it. A name that the list does not know judges nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from yupana.data.contracts.contract import Contract
from yupana.data.national.derivations import CODE_BY_NAMES
from yupana.data.parsing import LINE

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def marked(spark: SparkSession, rows: DataFrame, contract: Contract, root: Path) -> DataFrame:
    """Add the column of each rule `names`: 2 where the names are of another code, else 1.

    A code that is none breaks its own rule.

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
