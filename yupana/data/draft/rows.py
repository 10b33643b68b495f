"""All rows of a stranger's file as texts, cut by the parser that an ingest uses."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.core.progress import Progress
from yupana.data import archive, contract
from yupana.data.contract import Contract
from yupana.data.draft.dialect import Dialect, header_place
from yupana.data.parsing import delimited, documents
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
        unread: what of the file was not read, such as a workbook's other sheets.
    """

    names: list[str]
    frame: pl.DataFrame
    torn: int
    more: bool
    unread: tuple[str, ...] = ()


class _Heard:
    """Keeps what a reader says, and passes it on."""

    def __init__(self, progress: Progress) -> None:
        self.messages: list[str] = []
        self._progress = progress

    def say(self, message: str) -> None:
        self.messages.append(message)
        self._progress.say(message)


def read(
    path: Path, dialect: Dialect, settings: Settings, shown: str, progress: Progress
) -> tuple[Rows, Dialect]:
    """Rows of a file, at most `MOST`; a workbook's dialect is known better after it.

    Raises:
        TerminalError: the file cannot be read, or holds no row.
    """
    bare = _bare(dialect)
    if dialect.format == "csv":
        rows = _delimited(bare, path, settings, shown)
    else:
        rows = _document(bare, path, settings, shown, progress)
        if dialect.format == "xlsx":
            top = [rows.names, *([c or "" for c in r] for r in rows.frame.head(_TOP).rows())]
            place = header_place(top) or 0
            if place:
                dialect = replace(
                    dialect,
                    header_row=place + 1,
                    evidence={**dialect.evidence, "headerRow": "the first row of names"},
                    questions=(*dialect.questions, f"{place} rows above the header are skipped"),
                )
                rows = _document(_bare(dialect), path, settings, shown, progress)
    if rows.frame.height == 0 and rows.torn:
        raise TerminalError(
            f"All {rows.torn:,} lines have another number of fields than the header.",
            where=shown,
            fix="Often a delimiter stands at the end of the lines or of the header alone: mend it.",
        )
    if rows.frame.height == 0:
        raise TerminalError(
            "The file has a header and no row.", where=shown, fix="Give a file with rows."
        )
    return rows, dialect


def _bare(dialect: Dialect) -> Contract:
    """A contract that says how the file is written, and nothing of what it holds."""
    options = {"encoding": dialect.encoding, "delimiter": dialect.delimiter,
               "headerRow": dialect.header_row, "member": dialect.member}  # fmt: skip
    listed = [{"property": k, "value": v} for k, v in options.items() if v is not None]
    with tempfile.TemporaryDirectory() as root:
        file = Path(root) / "expectations" / "draft" / "contract.yaml"
        file.parent.mkdir(parents=True)
        text = _BARE.format(format=dialect.format, options=json.dumps(listed))
        file.write_text(text, encoding="utf-8")
        return contract.load(Path(root), "draft")


def _delimited(bare: Contract, path: Path, settings: Settings, shown: str) -> Rows:
    import polars as pl
    import pyarrow as pa

    tables, count = [], 0
    with archive.open_content(path, settings, bare.member) as stream:
        text = Text(stream, bare.encoding, shown)
        heads, delimiter, line = delimited.header(text, bare.delimiter, bare.header_rows, shown)
        names = heads[0]
        for table in delimited.Records(text, delimiter, len(names), line, shown).tables():
            tables.append(table)
            count += table.num_rows
            if count >= MOST:
                break
    frame = pl.DataFrame(pl.from_arrow(pa.concat_tables(tables))).sort("line")
    torn = frame["torn"].is_not_null()
    plain = [name.strip() for name in names]
    return Rows(plain, frame.filter(~torn).drop("torn"), int(torn.sum()), count >= MOST)


def _document(
    bare: Contract, path: Path, settings: Settings, shown: str, progress: Progress
) -> Rows:
    import polars as pl

    heard = _Heard(progress)
    with archive.open_content(path, settings, bare.member) as stream:
        names, table = documents.texts(bare, stream, shown, heard)
    frame = pl.DataFrame(pl.from_arrow(table))
    plain = [name.strip() for name in names]
    return Rows(plain, frame.head(MOST), 0, frame.height > MOST, tuple(heard.messages))
