"""Cells of a workbook that are shown as per cent: `12.5 %` is stored as 0.125 (ECMA-376, 18.8.30).

What is read is what is stored, so that the unit of such a column is 1.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import NamedTuple
from xml.etree import ElementTree

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
# 0% and 0.00%, which every workbook has.
_BUILT_IN = frozenset(("9", "10"))
# What a format shows as it is: texts in quotes, one letter behind a backslash or an underscore.
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\[[^\]]*\]')
_CELL = re.compile(rb"<c\b([^>]*)(?<!/)>")
_PLACE, _STYLE = re.compile(rb'\br="([A-Z]+)([0-9]+)"'), re.compile(rb'\bs="([0-9]+)"')
# A cell without a type is a number.
_TEXT = re.compile(rb'\bt="(?!n")')


class Shares(NamedTuple):
    """Cells of a column below its name that hold a number.

    Attributes:
        percent: how many are shown as per cent; others: how many are not.
    """

    percent: int
    others: int


def of(sheet: bytes, styles: bytes, below: int) -> dict[bytes, Shares]:
    """All columns with a cell, by their letters; none where no cell is shown as per cent.

    Args:
        sheet, styles: their XML.
        below: the row of the names.
    """
    percent = _percent(styles)
    if not any(b's="%s"' % style in sheet for style in percent):
        return {}
    counts: dict[bytes, Counter[bool]] = defaultdict(Counter)
    for about in _CELL.findall(sheet):
        if not (place := _PLACE.search(about)):
            continue
        style = _STYLE.search(about)
        number = int(place[2]) > below and not _TEXT.search(about)
        counts[place[1]][style is not None and style[1] in percent] += number
    return {letters: Shares(n[True], n[False]) for letters, n in counts.items()}


def _percent(styles: bytes) -> frozenset[bytes]:
    """Numbers of the cell formats that show a number as per cent."""
    root = ElementTree.fromstring(styles)
    own = {f.get("numFmtId"): f.get("formatCode", "") for f in root.iter(f"{_MAIN}numFmt")}
    percents = {number for number, code in own.items() if "%" in _LITERAL.sub("", code)}
    formats = root.find(f"{_MAIN}cellXfs")
    return frozenset(
        str(place).encode()
        for place, xf in enumerate(formats if formats is not None else ())
        if (number := xf.get("numFmtId")) in percents or (number in _BUILT_IN and number not in own)
    )
