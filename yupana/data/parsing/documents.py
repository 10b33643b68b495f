"""Workbooks, JSON and Parquet: read whole by Polars, handed on as texts."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, BinaryIO

from yupana.core.errors import TerminalError
from yupana.data.contract import Contract

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa


def texts(contract: Contract, stream: BinaryIO, source: str) -> pa.Table:
    """All rows of a document, each column as text under its published name.

    Raises:
        TerminalError: the file is not of the contract's format.
    """
    import pyarrow as pa

    try:
        frame = _frame(contract, stream.read())
    except Exception as error:
        raise TerminalError(
            f"The file cannot be read as {contract.format}: {error}",
            where=source,
            fix="Look at it by hand; mend `format`, `sheet` or `headerRow` in the contract, or "
            "fetch it again.",
        ) from error
    return pa.table([_text(column) for column in frame], names=frame.columns)


def _frame(contract: Contract, content: bytes) -> pl.DataFrame:
    import polars as pl

    if contract.format == "parquet":
        return pl.read_parquet(io.BytesIO(content))
    if contract.format == "json":
        return pl.read_json(io.BytesIO(content), infer_schema_length=None)
    options = {"header_row": contract.header_row - 1, "dtypes": "string"}
    sheet: dict[str, Any] = {"sheet_name": contract.sheet} if contract.sheet else {"sheet_id": 1}
    found: pl.DataFrame = pl.read_excel(
        io.BytesIO(content), engine="calamine", read_options=options, drop_empty_rows=False, **sheet
    )
    return found


def _text(column: pl.Series) -> pa.Array:
    import polars as pl
    import pyarrow as pa

    if column.dtype == pl.String or column.dtype.is_integer():
        return column.cast(pl.String).to_arrow().cast(pa.string())
    return pa.array([None if v is None else str(v) for v in column.to_list()], pa.string())
