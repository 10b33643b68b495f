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
from yupana.data import archive, signature
from yupana.data.contract_check import Format

_HEAD = 1 << 20
_RECORDS = 300
_DELIMITERS = ",;\t|"
_JSON = re.compile(r'\s*(\{\s*["}]|\[\s*[{\]])')
_NUMBER = re.compile(r"[+-]?[0-9][0-9.,' ]*([eE][+-]?[0-9]+)?%?")
_FIXED = re.compile(r"\S( {2,})\S")
# One-byte encodings that files of Spanish text come in: Windows, DOS, old Macintosh.
_ONE_BYTE = ["cp1252", "cp850", "mac_roman"]
_SUFFIXES = (".csv", ".tsv", ".txt", ".json", ".geojson", ".ndjson", ".xlsx", ".xls", ".parquet")


@dataclass(frozen=True)
class Dialect:
    """What the contract must say so that the file can be read.

    Attributes:
        evidence: why, by option of the contract.
        questions: what a person should look at.
    """

    format: Format
    encoding: str = "UTF-8"
    delimiter: str = ","
    header_row: int = 1
    member: str | None = None
    evidence: dict[str, str] = field(default_factory=dict)
    questions: tuple[str, ...] = ()


def of(path: Path, settings: Settings, shown: str) -> Dialect:
    """The dialect of a file, by its bytes; its name counts for nothing.

    Raises:
        TerminalError: it is empty, damaged, no table, or a text of fixed width.
    """
    archive.check(path, settings, shown)
    member, questions = _member(path)
    with archive.open_content(path, settings, member) as stream:
        head = stream.read(_HEAD)
        if (packed := _packed(head)) is not None:
            signature.refuse_other(head, format=packed, shown=shown)
            why = {"format": "by its first bytes"}
            return Dialect(packed, member=member, evidence=why, questions=questions)
        encoding, why_encoding = _encoding(head, stream)
    text = head.decode(encoding, errors="replace").removeprefix("\ufeff")
    format: Format = "json" if _JSON.match(text) else "csv"
    signature.refuse_other(head, format=format, shown=shown)
    evidence = {"encoding": why_encoding, "format": "by its first characters"}
    if format == "json":
        return Dialect(format, encoding, member=member, evidence=evidence, questions=questions)
    whole = len(head) < _HEAD
    delimiter, line, why, more = _layout(text, whole, shown)
    return Dialect(
        format, encoding, delimiter, line, member, {**evidence, **why}, (*questions, *more)
    )


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
    chosen = max(tables, key=lambda i: i.file_size).filename
    others = ", ".join(i.filename for i in files if i.filename != chosen)
    return chosen, (f"the zip's largest table is read, not {others}",)


def _encoding(head: bytes, rest: BinaryIO) -> tuple[str, str]:
    """The encoding of all bytes, and why."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", "by its byte order mark"
    zeros = [head[:4096][start::2].count(0) for start in (0, 1)]
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
    text: str, whole: bool, shown: str
) -> tuple[str, int, dict[str, str], tuple[str, ...]]:
    """Delimiter, the header's line, evidence and questions."""
    found = [_by_delimiter(text, d, whole) for d in _DELIMITERS]
    best = max(found, key=lambda f: (f.width > 1, f.share * f.clean, f.width))
    if best.width < 2 and sum(bool(_FIXED.search(x)) for x in text.split("\n")[:20]) > 10:
        raise TerminalError(
            "The file has no delimiter: its columns seem to stand at fixed places.",
            where=shown,
            fix="A draft is made of files with a delimiter. Save it with one, or write the "
            "contract by hand: docs/contracts.md.",
        )
    evidence = {
        "delimiter": f"{best.share:.0%} of the first {best.records} records have "
        f"{best.width} fields by it",
        "headerRow": f"the first line with {best.width} names",
    }
    questions: tuple[str, ...] = ()
    if not best.named:
        questions = ("no line looks like names of columns: is there a header?",)
    if best.line > 1:
        questions += (f"{best.line - 1} lines above the header are skipped",)
    return best.delimiter, best.line, evidence, questions


@dataclass(frozen=True)
class _Layout:
    """What the records are by one delimiter.

    Attributes:
        share: of records that have the usual number of fields.
        clean: share of their fields that are a number or hold no other delimiter: `1,5` beside
            `;` is one, `5;2` beside `,` is none.
        named: whether a line looks like names.
    """

    delimiter: str
    records: int
    width: int
    share: float
    clean: float
    line: int
    named: bool


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
    usual = [r if len(r) == width else [] for r in records]
    fields = [cell for record in usual for cell in record]
    others = set(_DELIMITERS) - {delimiter}
    clean = sum(bool(_NUMBER.fullmatch(c)) or not others & set(c) for c in fields)
    place = header_place(usual)
    return _Layout(
        delimiter, len(records), width, share, clean / len(fields) if fields else 0.0,
        lines[place or 0] if lines else 1, place is not None,
    )  # fmt: skip


def header_place(records: list[list[str]]) -> int | None:
    """The first record that looks like names of columns: filled as those below it are, mostly
    words, each its own; None where no record does."""
    filled = sorted(sum(bool(c) for c in r) for r in records if r) or [0]
    usual = filled[len(filled) // 2]
    for place, record in enumerate(records[: _RECORDS // 2]):
        names = [cell for cell in record if cell]
        words = [name for name in names if not _NUMBER.fullmatch(name)]
        # Names of two columns may be one by a slip; a row of data has many such.
        distinct = len(set(names)) >= 0.6 * len(names)
        if names and len(names) >= 0.6 * usual and 2 * len(words) > len(names) and distinct:
            return place
    return None
