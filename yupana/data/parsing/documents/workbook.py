"""A workbook's sheet (ECMA-376, OpenDocument, BIFF) as texts, by calamine, with the cells that
hold no value or not the whole of it.

calamine gives an empty cell for an error (`#N/A`) and for a formula that no program has
calculated; the sheet's own XML tells them apart from cells that are empty.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree

from yupana.core.errors import TerminalError
from yupana.core.progress import Progress
from yupana.data.contracts.contract import Contract
from yupana.data.parsing.documents import cells
from yupana.data.parsing.documents.cells import Shares

if TYPE_CHECKING:
    import polars as pl

_CELL = re.compile(rb'<c r="([A-Z]+)([0-9]+)"([^>]*)(?<!/)>(.*?)</c>', re.S)
_MERGED = re.compile(rb'<mergeCell ref="([A-Z]+)([0-9]+):[A-Z]+([0-9]+)"')
_VALUE = re.compile(rb"<v>(.+?)</v>|<is>", re.S)
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_OPEN_DOCUMENT = "content.xml"
_ROWS = 10_000
_INEXACT = (
    "a number beyond 2^53 in {}{} has lost its last digits (format the column as text in the "
    "workbook)"
)


class Fault(NamedTuple):
    """Why a cell's value cannot be used.

    Attributes:
        value: what stands there; a contract may take it for a mark of no value.
        reason: a sentence's part that names the cell, and the mend where there is one.
    """

    value: str
    reason: str


class Sheet(NamedTuple):
    """A sheet's rows from the first on, without the empty columns left of its first cell.

    Attributes:
        rows: one text column a column.
        faults: by row and column; the first have number 0.
    """

    rows: pl.DataFrame
    faults: dict[tuple[int, int], Fault]


def read(contract: Contract, content: bytes, source: str, progress: Progress) -> Sheet:
    """All rows of the contract's sheet.

    Raises:
        TerminalError: the workbook has no sheet of that name; says which it has.
    """
    import python_calamine

    book = python_calamine.load_workbook(io.BytesIO(content))
    if contract.sheet is None and len(book.sheet_names) > 1:
        first, *others = book.sheet_names
        progress.say(f"sheet '{first}' is read, not {', '.join(others)}; `sheet` names another")
    name = contract.sheet or book.sheet_names[0]
    if name not in book.sheet_names:
        there = ", ".join(f"'{n}'" for n in book.sheet_names)
        raise TerminalError(
            f"The workbook has no sheet '{name}'; it has {there}.",
            where=source,
            fix="Mend `sheet` in the contract.",
        )
    sheet = book.get_sheet_by_name(name)
    left = sheet.start[1] if sheet.start else 0
    parts = _parts(content)
    rows, faults = _texts(sheet.iter_rows(), left, _OPEN_DOCUMENT in parts)
    xml = _sheet(content, name) if parts else b""
    merges = _merges(xml, max(contract.header_rows))
    if merges and not any(column.fill for column in contract.used):
        progress.say(
            f"{len(merges)} merged cells run over several rows, e.g. {merges[0]}: their value is "
            "read in the first alone; `fill: down` on the column carries it on"
        )
    return Sheet(rows, {**faults, **dict(_without_value(xml, left))})


def _texts(
    rows: Iterator[list[Any]], left: int, open_document: bool
) -> tuple[pl.DataFrame, dict[tuple[int, int], Fault]]:
    """The cells as texts, a batch of rows at a time, and the numbers that lost their digits."""
    import polars as pl

    frames: list[pl.DataFrame] = []
    faults: dict[tuple[int, int], Fault] = {}
    first = 0
    while batch := list(islice(rows, _ROWS)):
        texts = [[cells.text(value, open_document) for value in row] for row in batch]
        for number, row in enumerate(batch):
            for place, value in enumerate(row):
                if cells.inexact(value):
                    reason = _INEXACT.format(_letters(left + place), first + number + 1)
                    fault = Fault(str(texts[number][place]), reason)
                    faults[first + number, place] = fault
        heads = {f"column_{i}": pl.String for i in range(len(batch[0]))}
        frames.append(pl.DataFrame(texts, schema=heads, orient="row"))
        first += len(batch)
    return pl.concat(frames) if frames else pl.DataFrame(), faults


def _parts(content: bytes) -> frozenset[str]:
    """Names of a packed workbook's parts; none where it is of the old kind (.xls)."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return frozenset()
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return frozenset(book.namelist())


def shares(content: bytes, name: str | None, below: int) -> dict[int, Shares]:
    """Columns of a sheet with cells that are shown as per cent, by their place in its rows.

    Args:
        name: None: the first sheet.
        below: the row of the names.
    """
    if "xl/styles.xml" not in _parts(content):
        return {}
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        styles = book.read("xl/styles.xml")
    columns = cells.shares(_sheet(content, name), styles, below)
    # Empty columns left of the first cell are not read.
    first = min(map(_number, columns), default=0)
    return {_number(letters) - first: s for letters, s in columns.items() if s.percent}


def _sheet(content: bytes, name: str | None) -> bytes:
    """The XML of a sheet, by default the first; nothing where the workbook is of another kind
    (.xlsb, .ods)."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        if "xl/workbook.xml" not in book.namelist():
            return b""
        sheets = ElementTree.fromstring(book.read("xl/workbook.xml")).iter()
        # Names that a workbook defines for its cells are no sheets.
        sheets_of_name = (s for s in sheets if name in (None, s.get("name")))
        relation = next(i for s in sheets_of_name if (i := s.get(_RELATION)))
        parts = ElementTree.fromstring(book.read("xl/_rels/workbook.xml.rels"))
        target = next(str(p.get("Target")) for p in parts if p.get("Id") == relation)
        return book.read(posixpath.join("/xl", target).lstrip("/"))


def _merges(sheet: bytes, header: int) -> list[str]:
    """Merged cells of several rows below the header, as `A2:A5`."""
    return [
        f"{column.decode()}{int(first)}:{column.decode()}{int(last)}"
        for column, first, last in _MERGED.findall(sheet)
        if int(last) > max(int(first), header)
    ]


def _without_value(sheet: bytes, left: int) -> Iterator[tuple[tuple[int, int], Fault]]:
    if b't="e"' not in sheet and b"<f" not in sheet:
        return
    for column, row, about, inside in _CELL.findall(sheet):
        value = _VALUE.search(inside)
        place = (int(row) - 1, _number(column) - 1 - left)
        cell = f"{column.decode()}{row.decode()}"
        if b't="e"' in about:
            error = value[1].decode() if value and value[1] else "error"
            yield place, Fault(error, f"{error} in {cell}")
        elif b"<f" in inside and value is None and b't="str"' not in about:
            yield place, Fault("", f"a formula without value in {cell}")


def _number(column: bytes) -> int:
    """A column's number by its letters: A is 1, AA is 27."""
    number = 0
    for letter in column:
        number = 26 * number + letter - ord("A") + 1
    return number


def _letters(place: int) -> str:
    """A column's letters by its place: 0 is A, 26 is AA."""
    letters = ""
    number = place + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
