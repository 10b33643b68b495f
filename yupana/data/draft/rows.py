"""All rows of a stranger's file as texts, cut by the parser that an ingest uses."""

from __future__ import annotations

import io
import json
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.core.progress import Progress
from yupana.data.contracts import contract
from yupana.data.contracts.checks.options import FORMATS
from yupana.data.contracts.contract import Contract
from yupana.data.draft import header
from yupana.data.draft.dialect import ASK_NAMES, NAMELESS, Dialect
from yupana.data.files import archive
from yupana.data.parsing import delimited, documents
from yupana.data.parsing.documents import workbook
from yupana.data.parsing.documents.cells import Shares
from yupana.data.parsing.text import Text

if TYPE_CHECKING:
    import polars as pl

MOST = 1_000_000
_TOP = 30
_BARE = """apiVersion: v3.1.0
kind: DataContract
id: draft
version: 0.0.0
status: draft
description: {{purpose: a draft}}
servers: [{{server: draft, type: local, path: draft, format: {format}}}]
customProperties: {options}
schema: [{{name: draft, properties: [{{name: a, logicalType: string}}]}}]
"""


@dataclass(frozen=True)
class Rows:
    """The file's records.

    Attributes:
        names: the header, blanks around names taken away; a name may be empty or stand twice.
        frame: one text column a field, `c0` …, and `line` where the file is delimited text.
        torn: records of another width than the header.
        more: the file goes on after `MOST` rows.
        shares: columns of a workbook whose cells are shown as per cent, by place.
        unread: what of the file was not read, such as a workbook's other sheets.
    """

    names: list[str]
    frame: pl.DataFrame
    torn: int
    more: bool
    unread: tuple[str, ...] = ()
    shares: dict[int, Shares] = field(default_factory=dict)


class _Messages:
    """Keeps what a reader says, and passes it on."""

    def __init__(self, progress: Progress) -> None:
        self.messages: list[str] = []
        self._progress = progress

    def say(self, message: str) -> None:
        self.messages.append(message)
        self._progress.say(message)


def read(
    path: Path, dialect: Dialect, settings: Settings, label: str, progress: Progress
) -> tuple[Rows, Dialect]:
    """Rows of a file, at most `MOST`; a workbook's dialect is known better after it.

    Raises:
        TerminalError: the file cannot be read, or holds no row.
    """
    bare = _bare(dialect)
    if dialect.format == "csv":
        rows = _delimited(bare, path, settings, label, dialect.width)
    else:
        rows = _document(bare, path, settings, label, progress)
        if dialect.format == "xlsx":
            dialect = _below_titles(dialect, rows)
            if dialect.header_row != 1:
                rows = _document(_bare(dialect), path, settings, label, progress)
    if rows.frame.height == 0 and rows.torn:
        raise TerminalError(
            f"All {rows.torn:,} lines have another number of fields than the header.",
            where=label,
            fix="Often a delimiter stands at the end of the lines or of the header alone, or in "
            "fields without quotes: mend it.",
        )
    if rows.frame.height == 0:
        raise TerminalError(
            f"The file has {'a header and ' * bool(dialect.header_row)}no row.", where=label,
            fix="Give a file with rows.",
        )  # fmt: skip
    return rows, dialect


def _below_titles(dialect: Dialect, rows: Rows) -> Dialect:
    """A workbook's dialect, with the row of its names."""
    import polars as pl

    texts = rows.frame.head(_TOP).select(pl.col("^c[0-9]+$"))
    top = [rows.names, *([(c or "").strip() for c in r] for r in texts.rows())]
    place = header.place(top, len(rows.names))
    if place == 0 or not rows.frame.height:
        return dialect
    row = rows.frame["line"][place - 1] if place else 0
    evidence = "the first row of names" if place else NAMELESS
    question = f"{row - 1} rows above the header are skipped" if place else ASK_NAMES
    return replace(
        dialect, header_row=row, evidence={**dialect.evidence, "headerRow": evidence},
        questions=(*dialect.questions, question),
    )  # fmt: skip


def _numbered(width: int) -> list[str]:
    """Names of columns that have none."""
    return [f"column {number}" for number in range(1, width + 1)]


def _bare(dialect: Dialect) -> Contract:
    """A contract that says how the file is written, and nothing of what it holds."""
    options = {"encoding": dialect.encoding, "delimiter": dialect.delimiter,
               "headerRow": dialect.header_row, "member": dialect.member}  # fmt: skip
    listed = [
        {"property": k, "value": v}
        for k, v in options.items()
        if v is not None and dialect.format in FORMATS.get(k, (dialect.format,))
    ]
    with tempfile.TemporaryDirectory() as root:
        file = Path(root) / "expectations" / "draft" / "contract.yaml"
        file.parent.mkdir(parents=True)
        text = _BARE.format(format=dialect.format, options=json.dumps(listed))
        file.write_text(text, encoding="utf-8")
        return contract.load(Path(root), "draft")


def _delimited(bare: Contract, path: Path, settings: Settings, label: str, width: int) -> Rows:
    import polars as pl
    import pyarrow as pa

    tables, count = [], 0
    with archive.open_content(path, settings, bare.member) as stream:
        text = Text(stream, bare.encoding, label)
        heads, delimiter, line = delimited.header(text, bare.delimiter, bare.header_rows, label)
        names = heads[0] if heads else _numbered(width)
        for table in delimited.Records(text, delimiter, len(names), line, label).tables():
            tables.append(table)
            count += table.num_rows
            if count >= MOST:
                break
    frame = pl.DataFrame(pl.from_arrow(pa.concat_tables(tables))).sort("line")
    torn = frame["torn"].is_not_null()
    plain = [name.strip() for name in names]
    return Rows(plain, frame.filter(~torn).drop("torn"), int(torn.sum()), count >= MOST)


def _document(
    bare: Contract, path: Path, settings: Settings, label: str, progress: Progress
) -> Rows:
    import polars as pl

    messages = _Messages(progress)
    with archive.open_content(path, settings, bare.member) as stream:
        content = io.BytesIO(stream.read())
    names, table = documents.texts(bare, content, label, messages)
    sheet = content.getvalue() if bare.format == "xlsx" else b""
    shares = workbook.shares(sheet, None, bare.header_rows[-1])
    frame = pl.DataFrame(pl.from_arrow(table))
    if not bare.header_rows[-1]:
        names = _numbered(frame.width - 2)
    plain = [name.strip() for name in names]
    return Rows(plain, frame.head(MOST), 0, frame.height > MOST, tuple(messages.messages), shares)
