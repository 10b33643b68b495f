"""Answers as CSV that spreadsheets open as it is."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from starlette.responses import Response

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def text(lines: Iterable[Sequence[Any]]) -> str:
    """CSV (RFC 4180) of lines, the first the names of the columns.

    It starts with a byte order mark: without it Excel reads UTF-8 as Latin-1, and Ñ is lost.
    """
    out = io.StringIO()
    csv.writer(out).writerows(map(_cell, line) for line in lines)
    return "\ufeff" + out.getvalue()


def response(content: str, name: str) -> Response:
    """An answer that is saved as a file of this name."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets an apostrophe before it."""
    if isinstance(value, str) and value.startswith(_STARTS_A_FORMULA):
        return f"'{value}"
    return value
