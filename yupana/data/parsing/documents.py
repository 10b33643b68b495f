"""Workbooks (by fastexcel) and Parquet: read whole, handed on as texts. JSON: `objects.py`."""

from __future__ import annotations

import io
import json
import math
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, BinaryIO

from yupana.core.errors import TerminalError
from yupana.core.progress import Progress
from yupana.data.contract import Contract
from yupana.data.parsing import header, objects, workbook
from yupana.data.parsing.text_table import text_table

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

# A double holds every whole number up to here.
_EXACT = 2**53


def texts(
    contract: Contract, stream: BinaryIO, source: str, progress: Progress
) -> tuple[list[str], pa.Table]:
    """All rows of a document: the published names, which may stand twice, and texts by place.

    Args:
        progress: told of a workbook's sheets that are not read.

    Returns:
        Names, and a table of `line`, `torn` and one column of texts for each name.

    Raises:
        TerminalError: the file is not of the contract's format.
    """
    content = stream.read()
    if contract.format == "json":
        wanted = [str(c.published) for c in contract.used]
        return objects.texts(content, contract.encoding, source, contract.records, wanted)
    try:
        if contract.format == "parquet":
            return _parquet(content)
        return _workbook(contract, content, progress)
    except Exception as error:
        raise TerminalError(
            f"The file cannot be read as {contract.format}: {error}",
            where=source,
            fix="Look at it by hand; mend `format`, `sheet` or `headerRow` in the contract, or "
            "fetch it again.",
        ) from error


def _parquet(content: bytes) -> tuple[list[str], pa.Table]:
    import polars as pl

    frame = pl.read_parquet(io.BytesIO(content))
    lines = list(range(2, frame.height + 2))
    rows = text_table(lines, [None] * frame.height, [_text(column) for column in frame])
    return frame.columns, rows


def _workbook(
    contract: Contract, content: bytes, progress: Progress
) -> tuple[list[str], pa.Table]:
    """The rows below the header; a row without any cell is none."""
    import polars as pl

    rows, faults = workbook.read(contract, content, progress)
    # The names are rows like others: as a header, one that stands twice would be renamed.
    heads = [[str(x or "") for x in rows.row(n - 1)] for n in contract.header_rows if n]
    names = header.joined(heads) if heads else contract.names_in_order
    first = contract.header_rows[-1]
    body = rows.with_row_index("line", 1)[first:]
    body = body.filter(~pl.all_horizontal(pl.exclude("line").is_null()))
    lines = body["line"].to_list()
    used = {name: c.missing for c in contract.used if (name := c.published)}
    torn: dict[int, str] = {}
    for (row, place), what in faults.items():
        marks = used.get(names[place]) if place < len(names) else None
        if marks is not None and what.split(" ")[0] not in marks:
            torn[row + 1] = what
    columns = [column.to_arrow().cast("string") for column in body.drop("line")]
    return names, text_table(lines, [torn.get(n) for n in lines], columns)


def _text(column: pl.Series) -> pa.Array:
    import polars as pl
    import pyarrow as pa

    if column.dtype == pl.String or column.dtype.is_integer():
        return column.cast(pl.String).to_arrow().cast(pa.string())
    values = column.to_list()
    days = all(v.time() == time() for v in values if isinstance(v, datetime))
    return pa.array([_plain(v, days) for v in values], pa.string())


def _plain(value: Any, days: bool) -> str | None:
    """A value as a publisher would write it; not a number is none, as pandas means it.

    Args:
        days: the column's instants are all midnight: they are days.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT:
        return str(int(value))
    if isinstance(value, datetime):
        return str(value.date()) if days else str(value)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=_nested)
    return str(value)


def _nested(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | time) else str(value)
