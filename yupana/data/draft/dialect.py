"""How a stranger's file is written: format, encoding, delimiter and the line of its names."""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.data.contracts.checks.document import Format
from yupana.data.draft import header
from yupana.data.files import archive, signature

_HEAD = 1 << 20
_RECORDS = 300
_DELIMITERS = ",;\t|"
_JSON = re.compile(r'\s*(\{\s*["}]|\[\s*[{\[\]])')
_FIXED = re.compile(r"\S( {2,})\S")
# One-byte encodings that files of Spanish text come in: Windows, DOS, old Macintosh.
_ONE_BYTE = ["cp1252", "cp850", "mac_roman"]
NAMELESS = "no line looks like names of columns"
ASK_NAMES = (
    f"{NAMELESS}: `column 1` and so on stand for them. Give them names, or set `headerRow` to the "
    "line of theirs"
)
_SUFFIXES = (".csv", ".tsv", ".txt", ".json", ".geojson", ".ndjson", ".xlsx", ".xls", ".parquet")


@dataclass(frozen=True)
class Dialect:
    """What the contract must say so that the file can be read.

    Attributes:
        header_row: 0: no line looks like names of columns.
        width: the usual number of fields of a delimited text.
        evidence: why, by option of the contract.
        questions: what a person should look at.
    """

    format: Format
    encoding: str = "UTF-8"
    delimiter: str = ","
    header_row: int = 1
    width: int = 0
    member: str | None = None
    evidence: dict[str, str] = field(default_factory=dict)
    questions: tuple[str, ...] = ()


def of(path: Path, settings: Settings, label: str) -> Dialect:
    """The dialect of a file, by its bytes; its name counts for nothing.

    Raises:
        TerminalError: it is empty, damaged, no table, or a text of fixed width.
    """
    archive.check(path, settings, label)
    member, questions = _member(path)
    with archive.open_content(path, settings, member) as stream:
        head = stream.read(_HEAD)
        if (packed := _packed(head)) is not None:
            signature.refuse_other(head, format=packed, label=label)
            why = {"format": "by its first bytes"}
            return Dialect(packed, member=member, evidence=why, questions=questions)
        encoding, why_encoding = _encoding(head, stream, label)
    text = head.decode(encoding, errors="replace").removeprefix("\ufeff")
    format: Format = "json" if _JSON.match(text) else "csv"
    signature.refuse_other(head, format=format, label=label)
    evidence = {"encoding": why_encoding, "format": "by its first characters"}
    if format == "json":
        return Dialect(format, encoding, member=member, evidence=evidence, questions=questions)
    whole = len(head) < _HEAD
    best, why, more = _layout(text, whole, label)
    return Dialect(
        format, encoding, best.delimiter, best.line, best.width, member, {**evidence, **why},
        (*questions, *more),
    )  # fmt: skip


def _packed(head: bytes) -> Format | None:
    if head.startswith(b"PAR1"):
        return "parquet"
    return "xlsx" if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")) else None


def _member(path: Path) -> tuple[str | None, tuple[str, ...]]:
    """The largest table of a zip that holds several files."""
    if archive.kind(path) != "zip":
        return None, ()
    with zipfile.ZipFile(path) as packed:
        files = [i for i in packed.infolist() if not i.is_dir() and "__MACOSX" not in i.filename]
    tables = [i for i in files if i.filename.lower().endswith(_SUFFIXES)] or files
    if len(files) < 2:
        return None, ()
    largest = max(tables, key=lambda i: i.file_size).filename
    others = ", ".join(i.filename for i in files if i.filename != largest)
    return largest, (f"the zip's largest table is read, not {others}",)


def _encoding(head: bytes, rest: BinaryIO, label: str) -> tuple[str, str]:
    """The encoding of all bytes, and why."""
    # The mark of UTF-16 begins one of UTF-32.
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32", "by its byte order mark"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", "by its byte order mark"
    zeros = [head[:4096][start::2].count(0) for start in (0, 1)]
    if min(zeros) > len(head[:4096]) // 5:
        raise TerminalError(
            "The file seems to be UTF-32, or no text: most of its bytes are zero.", where=label,
            fix="Save it as UTF-8, or with a byte order mark.",
        )  # fmt: skip
    if max(zeros) > len(head[:4096]) // 5:
        return ("utf-16-be", "utf-16-le")[zeros[1] > zeros[0]], "every other byte is zero"
    decoder = codecs.getincrementaldecoder("utf-8")()
    size, foreign, block = 0, b"", head
    utf8 = True
    while block:
        size += len(block)
        try:
            decoder.decode(block)
        except UnicodeDecodeError:
            utf8 = False
        if not block.isascii() and len(foreign) < _HEAD:
            foreign += b"\n".join(line for line in block.split(b"\n") if not line.isascii())
        if not utf8 and len(foreign) >= _HEAD:
            break
        block = rest.read(_HEAD)
    if utf8:
        return "UTF-8", f"all {size:,} bytes are UTF-8"
    return _one_byte(foreign)


def _one_byte(foreign: bytes) -> tuple[str, str]:
    """The encoding of lines that hold letters beyond ASCII and are no UTF-8."""
    from charset_normalizer import from_bytes

    best = from_bytes(foreign[:_HEAD], cp_isolation=_ONE_BYTE).best()
    name = best.encoding if best else "cp1252"
    # In these 32 places Windows has letters, and Latin-1 has none.
    if name == "cp1252" and not re.search(rb"[\x80-\x9f]", foreign):
        name = "latin-1"
    return name, "it is no UTF-8; of the one-byte encodings this one gives Spanish words"


def _layout(
    text: str, whole: bool, label: str
) -> tuple[_Layout, dict[str, str], tuple[str, ...]]:
    """How the records are cut, evidence and questions."""
    layouts = [_by_delimiter(text, d, whole) for d in _DELIMITERS]
    best = max(layouts, key=lambda f: (f.width > 1, f.share * f.clean, f.width))
    if best.width < 2 and sum(bool(_FIXED.search(x)) for x in text.split("\n")[:20]) > 10:
        raise TerminalError(
            "The file has no delimiter: its columns seem to stand at fixed places.",
            where=label,
            fix="A draft is made of files with a delimiter. Save it with one, or write the "
            "contract by hand: docs/contracts.md.",
        )
    evidence = {
        "delimiter": f"{best.share:.0%} of the first {best.records} records have "
        f"{best.width} fields by it",
        "headerRow": "the first line of names" if best.line else NAMELESS,
    }
    questions: tuple[str, ...] = ()
    if not best.line:
        questions = (ASK_NAMES,)
    if best.line > 1:
        questions = (f"{best.line - 1} lines above the header are skipped",)
    return best, evidence, questions


@dataclass(frozen=True)
class _Layout:
    """What the records are by one delimiter.

    Attributes:
        share: of records that have the usual number of fields.
        clean: share of their fields that are a number or hold no other delimiter: `1,5` beside
            `;` is one, `5;2` beside `,` is none.
        line: of the names; 0 where no line looks like it.
    """

    delimiter: str
    records: int
    width: int
    share: float
    clean: float
    line: int


def _by_delimiter(text: str, delimiter: str, whole: bool) -> _Layout:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    records: list[list[str]] = []
    lines: list[int] = []
    before = 0
    try:
        for record in reader:
            if record:
                records.append([cell.strip() for cell in record])
                lines.append(before + 1)
            before = reader.line_num
            if len(records) > _RECORDS:
                break
    except csv.Error:
        pass
    if not whole and len(records) <= _RECORDS:
        # What is cut off by the end of what was read is no record.
        del records[-1:], lines[-1:]
    widths = Counter(map(len, records))
    width = max(widths, key=lambda w: (widths[w], w), default=0)
    share = widths[width] / len(records) if records else 0.0
    fields = [cell for record in records if len(record) == width for cell in record]
    others = set(_DELIMITERS) - {delimiter}
    clean = sum(bool(header.NUMBER.fullmatch(c)) or not others & set(c) for c in fields)
    place = header.place(records, width)
    return _Layout(
        delimiter, len(records), width, share, clean / len(fields) if fields else 0.0,
        lines[place] if place is not None else 0,
    )  # fmt: skip

