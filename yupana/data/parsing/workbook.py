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
from yupana.data.contract import Contract

if TYPE_CHECKING:
    import polars as pl

_CELL = re.compile(rb'<c r="([A-Z]+)([0-9]+)"([^>]*)(?<!/)>(.*?)</c>', re.S)
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
    return rows, dict(_without_value(sheet))


def _sheet(content: bytes, name: str) -> bytes:
    """The XML of a sheet; nothing where the workbook is of another kind (.xlsb, .ods)."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        if "xl/workbook.xml" not in book.namelist():
            return b""
        sheets = ElementTree.fromstring(book.read("xl/workbook.xml")).iter()
        # Names that a workbook defines for its cells are no sheets.
        wanted = next(i for s in sheets if s.get("name") == name and (i := s.get(_RELATION)))
        parts = ElementTree.fromstring(book.read("xl/_rels/workbook.xml.rels"))
        target = next(str(p.get("Target")) for p in parts if p.get("Id") == wanted)
        return book.read(posixpath.join("/xl", target).lstrip("/"))


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
