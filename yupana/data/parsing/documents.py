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
from yupana.data.parsing import objects

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

    Raises:
        TerminalError: the file is not of the contract's format.
    """
    import pyarrow as pa

    content = stream.read()
    if contract.format == "json":
        return objects.texts(content, contract.encoding, source)
    try:
        names, frame = _frame(contract, content, progress)
        columns = [_text(column) for column in frame]
    except Exception as error:
        raise TerminalError(
            f"The file cannot be read as {contract.format}: {error}",
            where=source,
            fix="Look at it by hand; mend `format`, `sheet` or `headerRow` in the contract, or "
            "fetch it again.",
        ) from error
    return names, pa.table(columns, names=[f"c{i}" for i in range(len(columns))])


def _frame(
    contract: Contract, content: bytes, progress: Progress
) -> tuple[list[str], pl.DataFrame]:
    import fastexcel
    import polars as pl

    if contract.format == "parquet":
        frame = pl.read_parquet(io.BytesIO(content))
        return frame.columns, frame
    book = fastexcel.read_excel(content)
    if contract.sheet is None and len(book.sheet_names) > 1:
        first, *others = book.sheet_names
        progress.say(f"sheet '{first}' is read, not {', '.join(others)}; `sheet` names another")
    # The names are taken from the first row: as a header, one that stands twice is renamed.
    rows = book.load_sheet(
        contract.sheet or 0, header_row=None, skip_rows=contract.header_row - 1, dtypes="string"
    ).to_polars()
    names = [str(name or "") for name in rows.row(0)] if rows.height else []
    return names, rows[1:]


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
