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
from yupana.data import archive
from yupana.data.contract import Contract
from yupana.data.parsing import delimited, documents, header
from yupana.data.parsing.text import Text
from yupana.data.streams import records

if TYPE_CHECKING:
    import pyarrow as pa

LINE, TORN = "source_line", "_torn"


def parse(
    settings: Settings,
    contract: Contract,
    raw: RawObject,
    work: Path,
    progress: Progress | None = None,
) -> Path:
    """Write the file's rows into `work` as Parquet.

    Args:
        progress: told what of the file is not read, such as a workbook's other sheets.

    Returns:
        The Parquet file: `source_line` (int64), `_torn` (text; why, where the record had another
        number of fields) and one text column for each used column that the file has, under its
        standard name; empty cells are null.

    Raises:
        TerminalError: wrong encoding, format or header; names file, line and column.
    """
    work.mkdir(parents=True, exist_ok=True)
    out = work / "rows.parquet"
    with archive.open_content(Path(raw.path), settings, contract.member) as stream:
        if contract.format == "csv":
            tables = _delimited(contract, raw, stream)
        elif contract.stream:
            tables = records.tables(contract, stream, LINE, TORN)
        else:
            tables = _document(contract, raw, stream, progress or Silent())
        _write(tables, contract, out)
    return out


def _delimited(contract: Contract, raw: RawObject, stream: BinaryIO) -> Iterator[pa.Table]:
    text = Text(stream, contract.encoding, raw.source)
    names, delimiter, line = delimited.header(text, contract.delimiter, contract.header_row - 1)
    places = header.places(contract, names, raw.source)
    records = delimited.Records(text, delimiter, len(names), line, raw.source)
    chosen = ["line", "torn", *(f"c{place}" for place in places.values())]
    for table in records.tables():
        yield table.select(chosen).rename_columns([LINE, TORN, *places])


def _document(
    contract: Contract, raw: RawObject, stream: BinaryIO, progress: Progress
) -> Iterator[pa.Table]:
    import pyarrow as pa

    names, table = documents.texts(contract, stream, raw.source, progress)
    places = header.places(contract, names, raw.source)
    first = contract.header_row + 1
    lines = pa.array(range(first, first + table.num_rows), pa.int64())
    texts = [table.column(place) for place in places.values()]
    absent = pa.nulls(table.num_rows, pa.string())
    yield pa.table([lines, absent, *texts], names=[LINE, TORN, *places])


def _write(tables: Iterator[pa.Table], contract: Contract, out: Path) -> None:
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
