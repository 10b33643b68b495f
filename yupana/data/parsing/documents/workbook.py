"""A workbook's sheet (ECMA-376) as texts, by fastexcel, with the cells that hold no value told.

fastexcel gives an empty cell for an error (`#N/A`) and for a formula that no program has
calculated; the sheet's own XML tells them apart from cells that are empty.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from yupana.core.progress import Progress
from yupana.data.contracts.contract import Contract
from yupana.data.parsing.documents import shares as percent
from yupana.data.parsing.documents.shares import Shares

if TYPE_CHECKING:
    import polars as pl

_CELL = re.compile(rb'<c r="([A-Z]+)([0-9]+)"([^>]*)(?<!/)>(.*?)</c>', re.S)
_MERGED = re.compile(rb'<mergeCell ref="([A-Z]+)([0-9]+):[A-Z]+([0-9]+)"')
_VALUE = re.compile(rb"<v>(.+?)</v>|<is>", re.S)
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def read(
    contract: Contract, content: bytes, progress: Progress
) -> tuple[pl.DataFrame, dict[tuple[int, int], str]]:
    """All rows of the contract's sheet from its first on, as texts.

    Returns:
        The rows, and what is wrong with cells that hold no value, by row and column; the first
        have number 0.
    """
    import fastexcel

    book = fastexcel.read_excel(content)
    if contract.sheet is None and len(book.sheet_names) > 1:
        first, *others = book.sheet_names
        progress.say(f"sheet '{first}' is read, not {', '.join(others)}; `sheet` names another")
    name = contract.sheet or book.sheet_names[0]
    # Without `skip_rows` the empty rows above the first cell would not be counted.
    rows = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string").to_polars()
    sheet = _sheet(content, name) if zipfile.is_zipfile(io.BytesIO(content)) else b""
    merges = _merges(sheet, max(contract.header_rows))
    if merges and not any(column.fill for column in contract.used):
        progress.say(
            f"{len(merges)} merged cells run over several rows, e.g. {merges[0]}: their value is "
            "read in the first alone; `fill: down` on the column carries it on"
        )
    return rows, dict(_without_value(sheet))


def shares(content: bytes, name: str | None, below: int) -> dict[int, Shares]:
    """Columns of a sheet with cells that are shown as per cent, by their place in its rows.

    Args:
        name: None: the first sheet.
        below: the row of the names.
    """
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return {}
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        if "xl/styles.xml" not in book.namelist():
            return {}
        styles = book.read("xl/styles.xml")
    cells = percent.of(_sheet(content, name), styles, below)
    # Empty columns left of the first cell are not read.
    first = min(map(_number, cells), default=0)
    return {_number(letters) - first: s for letters, s in cells.items() if s.percent}


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


def _without_value(sheet: bytes) -> Iterator[tuple[tuple[int, int], str]]:
    if b't="e"' not in sheet and b"<f" not in sheet:
        return
    cells = _CELL.findall(sheet)
    # Empty columns left of the first cell are not read.
    first = min(_number(column) for column, *_ in cells)
    for column, row, about, inside in cells:
        value = _VALUE.search(inside)
        place = (int(row) - 1, _number(column) - first)
        if b't="e"' in about:
            error = value[1].decode() if value and value[1] else "error"
            yield place, f"{error} in {column.decode()}{row.decode()}"
        elif b"<f" in inside and value is None and b't="str"' not in about:
            yield place, f"a formula without value in {column.decode()}{row.decode()}"


def _number(column: bytes) -> int:
    """A column's number by its letters: A is 1, AA is 27."""
    number = 0
    for letter in column:
        number = 26 * number + letter - ord("A") + 1
    return number
