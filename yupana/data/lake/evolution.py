"""Rows of a changed contract beside the rows that a table holds already."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.core.errors import TerminalError
from yupana.data.lake import delta

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def fit(rows: DataFrame, table: Path) -> DataFrame:
    """Rows in the shape of a table.

    The table gains the columns that it lacks, empty in its older rows; the rows get nulls for
    columns that only the table has. This is a commit of its own by delta-rs: engines differ in
    what they do with `mergeSchema`, and Sail drops new columns without a word.

    Raises:
        TerminalError: a column has another type in the table; nothing was written.
    """
    from pyspark.sql import functions as f

    old, fields = agree(rows, table), rows.schema.jsonValue()["fields"]
    absent = [field for field in fields if field["name"] not in old]
    if absent:
        _add(table, absent)
    columns = [*old, *(field["name"] for field in absent)]
    new = {field["name"] for field in fields}
    empty = {name: f.expr(f"CAST(NULL AS {_sql(old[name])})") for name in old if name not in new}
    return rows.select(*(empty[c].alias(c) if c in empty else f.col(c) for c in columns))


def retyped(rows: DataFrame, table: Path) -> DataFrame:
    """Refused rows in the types of the quarantine that holds earlier ones.

    A contract may give a column another type, and its quarantine remains. A value that the older
    type does not have is empty there; the landed file has it, and corrections are read from that.
    """
    from pyspark.sql import functions as f

    if not delta.exists(table):
        return rows
    old, new = _types(_schema_of_table(table)), _types(rows.schema.jsonValue())
    other = [name for name in old.keys() & new.keys() if old[name] != new[name]]
    casts = {name: f.col(name).cast("string").try_cast(_sql(old[name])) for name in other}
    return rows.select(*(casts[c].alias(c) if c in casts else f.col(c) for c in rows.columns))


def agree(rows: DataFrame, table: Path) -> dict[str, str]:
    """The type of each column of a table, once the rows have the same where they have it.

    Raises:
        TerminalError: a column has another type in the table; nothing was written.
    """
    old, new = _types(_schema_of_table(table)), _types(rows.schema.jsonValue())
    for name in old.keys() & new.keys():
        if old[name] != new[name]:
            raise TerminalError(
                f"The column '{name}' is {new[name]} in the contract and {old[name]} in the table.",
                where=str(table),
                fix="Give the column a new name in the contract, or publish the whole data set "
                "anew (`publication: snapshot`).",
            )
    return old


def _schema_of_table(table: Path) -> dict[str, Any]:
    from deltalake import DeltaTable

    schema: dict[str, Any] = json.loads(DeltaTable(table).schema().to_json())
    return schema


def _types(schema: dict[str, Any]) -> dict[str, str]:
    """Type by column; whether nulls are allowed inside of a type is not asked."""
    return {field["name"]: _bare(field["type"]) for field in schema["fields"]}


def _bare(kind: Any) -> str:
    if isinstance(kind, str):
        return kind
    if kind["type"] == "array":
        return f"array<{_bare(kind['elementType'])}>"
    return f"map<{_bare(kind['keyType'])},{_bare(kind['valueType'])}>"


def _sql(kind: str) -> str:
    return kind.replace("integer", "int").replace("long", "bigint").upper()


def _add(table: Path, fields: list[dict[str, Any]]) -> None:
    from deltalake import DeltaTable
    from deltalake.schema import Field

    nullable = [Field.from_json(json.dumps({**field, "nullable": True})) for field in fields]
    DeltaTable(table).alter.add_columns(nullable)
