"""Make a landed file readable for Spark: unpacked, in UTF-8, its header checked.

A delimited text becomes lines; a workbook, JSON, Parquet or a text with line breaks inside
fields becomes a Parquet file of texts that carries each row's line.
"""

from __future__ import annotations

import codecs
import csv
import difflib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.core.types import RawObject
from yupana.data import archive
from yupana.data.contract import Contract

_BLOCK = 1 << 22
_BATCH = 50_000
_MOST_COLUMNS = 1000
Row = tuple[int, list[str | None]]


@dataclass(frozen=True)
class Prepared:
    """A file that Spark can read in parts.

    Attributes:
        path: UTF-8 lines (`lines`), or Parquet with `source_line`, `c0` … `c<n>` as text.
        header: names as published, in the file's order.
        skipped: lines before the first row of data.
        delimiter: between the fields of a line.
    """

    path: Path
    header: list[str]
    lines: bool
    skipped: int
    delimiter: str = ","


def prepare(settings: Settings, contract: Contract, raw: RawObject, work: Path) -> Prepared:
    """Check the file as a whole and write what Spark reads into the folder `work`.

    Raises:
        TerminalError: wrong encoding, format or header; names file, line and column.
    """
    work.mkdir(parents=True, exist_ok=True)
    with archive.open_content(Path(raw.path), settings, contract.member) as stream:
        if contract.format == "csv" and not contract.multiline:
            return _text(contract, raw, stream, work / "lines.csv")
        rows = _rows(contract, raw, stream)
        header = _header(contract, raw, next(rows, (contract.header_row, []))[1])
        _write_parquet(rows, len(header), work / "rows.parquet")
        return Prepared(work / "rows.parquet", header, False, contract.header_row)


def _text(contract: Contract, raw: RawObject, stream: BinaryIO, out: Path) -> Prepared:
    decoder = codecs.getincrementaldecoder(contract.encoding)()
    # A file that is plain UTF-8 already is read where it landed.
    target = None if _is_plain(contract, raw) else out.open("wb")
    line, head = 1, ""
    try:
        last = False
        while not last:
            block = stream.read(_BLOCK)
            last = not block
            try:
                text = decoder.decode(block, final=last)
            except UnicodeDecodeError as error:
                raise _undecodable(contract, raw, error, line) from error
            if target:
                target.write(block if contract.encoding == "UTF-8" else text.encode())
            if len(head) < _BLOCK and head.count("\n") < contract.header_row:
                head += text
            line += block.count(b"\n")
    finally:
        if target:
            target.close()
    first = head.lstrip("\ufeff").splitlines()[contract.header_row - 1 :][:1]
    delimiter = _delimiter(contract, first[0] if first else "")
    header = _header(contract, raw, next(csv.reader(first, delimiter=delimiter), []))
    path = out if target else Path(raw.path)
    return Prepared(path, header, True, contract.header_row, delimiter)


def _delimiter(contract: Contract, line: str) -> str:
    """The contract's delimiter; of several characters the one that the header has most often."""
    return max(contract.delimiter, key=line.count)


def _is_plain(contract: Contract, raw: RawObject) -> bool:
    return contract.encoding == "UTF-8" and not archive.is_packed(Path(raw.path))


def _undecodable(
    contract: Contract, raw: RawObject, error: UnicodeDecodeError, line: int
) -> TerminalError:
    before: bytes = error.object[: error.start]
    column = len(before) - (before.rfind(b"\n") + 1) + 1
    number = line + before.count(b"\n")
    return TerminalError(
        f"The file is not {contract.encoding}: {error.reason}.",
        where=f"{raw.source}, line {number}, byte {column} of the line",
        fix="Set the contract's `encoding` to the file's own (often latin-1 or cp1252), or ask "
        "the publisher.",
    )


def _header(contract: Contract, raw: RawObject, found: Iterable[str | None]) -> list[str]:
    """The file's column names, once every name that the contract reads is there once."""
    header = [(name or "").strip() for name in found]
    where = f"{raw.source}, line {contract.header_row}"
    if len(header) > max(_MOST_COLUMNS, 10 * len(contract.columns)):
        raise TerminalError(
            f"The file has {len(header):,} columns; the contract knows {len(contract.read)}.",
            where=where,
            fix="This is not the file that the contract describes, or its delimiter is wrong.",
        )
    for column in contract.read:
        name = str(column.published)
        if header.count(name) > 1:
            raise TerminalError(
                f"The column '{name}' is in the file {header.count(name)} times.",
                where=f"{where}, columns {', '.join(_places(header, name))}",
                fix="Ask the publisher which is meant, and have each named apart.",
            )
        if name not in header and not (column.treatment == "drop" and column not in contract.used):
            raise _absent(contract, name, header, where)
    return header


def _places(header: list[str], name: str) -> list[str]:
    return [str(place) for place, found in enumerate(header, 1) if found == name]


def _absent(contract: Contract, name: str, header: list[str], where: str) -> TerminalError:
    known = [str(c.published) for c in contract.read]
    free = [h for h in header if h not in known]
    near = difflib.get_close_matches(name, free, n=1, cutoff=0.4) or free[:1]
    shown = ", ".join(header[:20]) + (" …" if len(header) > 20 else "")
    return TerminalError(
        f"The column '{name}' is not in the file.",
        where=f"{where}; it has: {shown}",
        fix=(f"If it is now called '{near[0]}', say so" if near else "Say what replaced it")
        + f" (physicalName) in expectations/{contract.name}/contract.yaml.",
    )


def _rows(contract: Contract, raw: RawObject, stream: BinaryIO) -> Iterator[Row]:
    """Header row, then all rows, as texts with their line (or row) in the file."""
    if contract.format == "csv":
        return _multiline(contract, raw, stream)
    content = stream.read()
    try:
        frame = _frame(contract, content)
    except Exception as error:
        raise TerminalError(
            f"The file cannot be read as {contract.format}: {error}",
            where=raw.source,
            fix="Look at it by hand; mend `format`, `sheet` or `headerRow` in the contract, or "
            "fetch it again.",
        ) from error
    names: Row = (contract.header_row, list(frame.columns))
    rows = enumerate(frame.iter_rows(), contract.header_row + 1)
    return chain([names], ((line, [_as_text(v) for v in row]) for line, row in rows))


def _frame(contract: Contract, content: bytes) -> Any:
    import polars as pl

    if contract.format == "parquet":
        return pl.read_parquet(io.BytesIO(content))
    if contract.format == "json":
        return pl.read_json(io.BytesIO(content), infer_schema_length=None)
    options = {"header_row": contract.header_row - 1, "dtypes": "string"}
    sheet: dict[str, Any] = {"sheet_name": contract.sheet} if contract.sheet else {"sheet_id": 1}
    return pl.read_excel(
        io.BytesIO(content), engine="calamine", read_options=options, drop_empty_rows=False, **sheet
    )


def _multiline(contract: Contract, raw: RawObject, stream: BinaryIO) -> Iterator[Row]:
    text = io.TextIOWrapper(stream, encoding=contract.encoding, newline="")
    try:
        top = list(islice(text, contract.header_row))
    except UnicodeDecodeError as error:
        raise _undecodable(contract, raw, error, 1) from error
    reader = csv.reader(chain(top, text), delimiter=_delimiter(contract, top[-1] if top else ""))
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except UnicodeDecodeError as error:
            raise _undecodable(contract, raw, error, line) from error
        except csv.Error as error:
            raise TerminalError(
                f"The text cannot be cut into fields: {error}.",
                where=f"{raw.source}, line {line}",
                fix="Look for a quote that is not closed before that line.",
            ) from error
        if line == 1 and fields:
            fields[0] = fields[0].lstrip("\ufeff")
        if line >= contract.header_row and any(fields):
            yield line, list(fields)


def _as_text(value: Any) -> str | None:
    return None if value is None else str(value)


def _write_parquet(rows: Iterator[Row], width: int, out: Path) -> None:
    """Write rows of texts in batches; a row of another width is marked in `_corrupt`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    fields = [pa.field("source_line", pa.int64()), pa.field("_corrupt", pa.string())]
    schema = pa.schema([*fields, *(pa.field(f"c{i}", pa.string()) for i in range(width))])
    with pq.ParquetWriter(out, schema) as writer:
        while batch := list(islice(rows, _BATCH)):
            lines = [line for line, _ in batch]
            torn = [None if len(values) == width else "width" for _, values in batch]
            padded = [(values + [None] * width)[:width] for _, values in batch]
            columns = [list(column) for column in zip(*padded, strict=True)]
            writer.write_table(pa.table([lines, torn, *columns], schema=schema))
