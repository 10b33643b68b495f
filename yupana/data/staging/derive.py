"""Columns that a contract derives: `transformLogic` names one of the functions here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from yupana.core.errors import TerminalError
from yupana.data.contracts.contract import Contract
from yupana.data.national import derivations

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


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
        derivation = DERIVATIONS[column.derive]
        rows = derivation(spark, rows, column.name, column.derive_from, root)
    return rows


def date_of(
    spark: SparkSession, rows: DataFrame, name: str, sources: tuple[str, ...], root: Path
) -> DataFrame:
    """The day of year, month and (first when not given) day columns; null for 30 February."""
    parts = [f"`{source}`" for source in sources]
    day = parts[2] if len(parts) > 2 else "1"
    text = f"concat_ws('-', {parts[0]}, {parts[1]}, {day})"
    date = f"CAST(try_to_timestamp({text}, 'y-M-d') AS DATE)"
    return rows.selectExpr("*", f"{date} AS `{name}`")


Derivation = Callable[["SparkSession", "DataFrame", str, tuple[str, ...], Path], "DataFrame"]
DERIVATIONS: dict[str, Derivation] = {"date_of": date_of, **derivations.DERIVATIONS}
"""Each takes the engine, the rows, the new column's name, the columns that it is derived from
and the project's folder."""
