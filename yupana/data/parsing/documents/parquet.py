"""Parquet (https://parquet.apache.org/docs/file-format/) as texts; bytes that are no text, such
as a GeoParquet's geometry, are read by no contract."""

from __future__ import annotations

import io
import math
from collections.abc import Collection
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from yupana.core.errors import TerminalError
from yupana.core.progress import Progress
from yupana.data.parsing.documents import cells, json_text
from yupana.data.parsing.text_table import NamedTexts, text_table

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

_NANOSECONDS = "%Y-%m-%d %H:%M:%S%.9f"


def texts(content: bytes, fields: Collection[str], source: str, progress: Progress) -> NamedTexts:
    """All rows, without columns that hold bytes and that nobody wants.

    Args:
        fields: the published names that the contract reads.
        progress: told of such columns.

    Raises:
        TerminalError: a column that the contract reads holds bytes that are no text.
    """
    import polars as pl

    frame = pl.read_parquet(io.BytesIO(content))
    names: list[str] = []
    columns: list[pa.Array] = []
    unread: list[str] = []
    for column in frame:
        try:
            columns.append(_text(column))
            names.append(column.name)
        except UnicodeDecodeError as error:
            if column.name in fields:
                raise TerminalError(
                    f"The column '{column.name}' holds bytes that are no text.",
                    where=source,
                    fix="Take it out of the contract, or ask the publisher for it as text.",
                ) from error
            unread.append(f"'{column.name}'")
    if unread:
        progress.say(f"bytes that are no text are not read: {', '.join(unread)}")
    lines = list(range(1, frame.height + 1))
    return NamedTexts(names, text_table(lines, [None] * frame.height, columns))


def _text(column: pl.Series) -> pa.Array:
    import polars as pl
    import pyarrow as pa

    if column.dtype == pl.String or column.dtype.is_integer():
        return column.cast(pl.String).to_arrow().cast(pa.string())
    values = column.to_list()
    days = all(v.time() == time() for v in values if isinstance(v, datetime))
    plain = [_plain(v, days) for v in values]
    for place in _nanoseconds(column):
        # Python would cut them in silence; so written, no type takes them.
        plain[place] = str(column[place : place + 1].dt.to_string(_form(column))[0])
    return pa.array(plain, pa.string())


def _nanoseconds(column: pl.Series) -> list[int]:
    """Places of times that a microsecond does not tell."""
    import polars as pl

    if column.dtype not in (pl.Datetime("ns"), pl.Time) and not _zoned(column):
        return []
    return (column.dt.nanosecond() % 1000 != 0).fill_null(False).arg_true().to_list()


def _zoned(column: pl.Series) -> bool:
    import polars as pl

    return isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone is not None


def _form(column: pl.Series) -> str:
    import polars as pl

    if column.dtype == pl.Time:
        return "%H:%M:%S%.9f"
    return _NANOSECONDS + "%:z" * _zoned(column)


def _plain(value: Any, days: bool) -> str | None:
    """A value as a publisher would write it; not a number is none, as pandas means it.

    Args:
        days: the column's instants are all midnight: they are days.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, float) and value.is_integer() and abs(value) <= cells.INEXACT:
        return str(int(value))
    if isinstance(value, datetime):
        return str(value.date()) if days else str(value)
    if isinstance(value, bool | time | timedelta):
        return cells.text(value, open_document=False)
    if isinstance(value, list | dict):
        return json_text.text(value)
    return str(value)
