"""Parse a landed file: any format and encoding → a Parquet of texts with line numbers.

This comes before the engine: records and fields are cut once, in a stream, the same way
whichever engine reads them. Columns that the contract does not use never reach the disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from yupana.config.settings import Settings
from yupana.core.progress import Progress, Silent
from yupana.core.types import RawObject
from yupana.data.contracts.contract import Contract
from yupana.data.files import archive
from yupana.data.parsing import delimited, documents, fixed_width, header
from yupana.data.parsing.rows import LINE, TORN, Rows
from yupana.data.parsing.text import Text
from yupana.data.streams import records

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["LINE", "SOURCE", "TORN", "parse"]

SOURCE = "_source"


def parse(
    settings: Settings,
    contract: Contract,
    raw: RawObject,
    work: Path,
    progress: Progress | None = None,
) -> Path:
    """Write the file's rows into `work` as Parquet.

    Args:
        progress: told what of the file is not read: columns that the contract does not name, a
            workbook's other sheets.

    Returns:
        The Parquet file: `source_line` (int64), `_torn` (text; why, where the record had another
        number of fields) and one text column for each used column that the file has, under its
        standard name; empty cells are null.

    Raises:
        TerminalError: wrong encoding, format or header; names file, line and column.
    """
    work.mkdir(parents=True, exist_ok=True)
    out = work / "rows.parquet"
    progress = progress or Silent()
    with archive.open_content(Path(raw.path), settings, contract.member) as stream:
        if contract.stream:
            _write(records.tables(contract, stream, LINE, TORN), out)
            return out
        delimiter = contract.delimiter[0]
        if contract.format == "csv":
            names, delimiter, tables = _delimited(contract, raw, stream)
        else:
            names, table = documents.texts(contract, stream, raw.source, progress)
            tables = iter([table])
        places = header.places(contract, names, raw.source)
        header.tell_unnamed(contract, names, progress)
        rows = Rows(contract, places, delimiter, raw.source, progress)
        _write(rows.of(tables), out)
    return out


def _delimited(
    contract: Contract, raw: RawObject, stream: BinaryIO
) -> tuple[list[str], str, Iterator[pa.Table]]:
    text = Text(stream, contract.encoding, raw.source)
    if contract.widths:
        heads = fixed_width.header(text, contract.widths, contract.header_rows)
        names = header.combine(heads) or contract.names_in_order
        tables = fixed_width.tables(text, contract.widths, contract.header_rows[-1] + 1)
        return names, contract.delimiter[0], tables
    heads, delimiter, line = delimited.header(
        text, contract.delimiter, contract.header_rows, raw.source
    )
    names = header.combine(heads) if contract.header_rows[-1] else contract.names_in_order
    records = delimited.Records(text, delimiter, len(names), line, raw.source)
    return names, delimiter, records.tables()


def _write(tables: Iterator[pa.Table], out: Path) -> None:
    """Write one table while the next is parsed; at most two are in memory."""
    import pyarrow.parquet as pq

    first = next(tables)
    with (
        pq.ParquetWriter(
            out, first.schema, use_dictionary=first.column_names[1:], write_statistics=False
        ) as writer,
        ThreadPoolExecutor(1) as pool,
    ):
        waiting = pool.submit(writer.write_table, first)
        for table in tables:
            waiting.result()
            waiting = pool.submit(writer.write_table, table)
        waiting.result()
