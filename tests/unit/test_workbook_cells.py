"""A workbook's cells as texts: the double that the file holds, times of day, durations."""

from __future__ import annotations

import io
import math
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from draft_lake import draft_of, lake
from test_documents import rows, workbook
from test_shapes import parsed
from test_shares import DAY, DURATION, TIME, styled

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError

__all__ = ["lake"]
DOUBLES = [
    1.5e-10, math.pi * 1e-6, 2 / 3, 0.1 + 0.2, -73.25384712345678, 1e-7, 5e-324, 123456.789, 12.5,
    float(2**53 - 1),
]  # fmt: skip


def open_document(*cells: str) -> bytes:
    """The smallest OpenDocument sheet: a column of cells, each with its attributes."""
    about = "urn:oasis:names:tc:opendocument:xmlns"
    spaces = "".join(f' xmlns:{n}="{about}:{n}:1.0"' for n in ("office", "table", "text"))
    body = "".join(
        f"<table:table-row><table:table-cell {cell}><text:p>id</text:p></table:table-cell>"
        "</table:table-row>"
        for cell in ('office:value-type="string"', *cells)
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        packed.writestr("META-INF/manifest.xml", f'<m:manifest xmlns:m="{about}:manifest:1.0"/>')
        packed.writestr(
            "content.xml",
            f"<office:document-content{spaces}><office:body><office:spreadsheet>"
            f'<table:table table:name="A">{body}</table:table></office:spreadsheet></office:body>'
            "</office:document-content>",
        )
    return out.getvalue()


def test_a_number_is_the_double_that_the_file_holds() -> None:
    _, *texts = rows(workbook([["x"], *([Decimal(repr(v))] for v in DOUBLES)]), "xlsx")
    assert [float(t) for (t,) in texts] == DOUBLES
    assert [t for (t,) in texts] == [*map(repr, DOUBLES[:-1]), "9007199254740991"]


@pytest.mark.parametrize("type", ["string", "integer", "number"])
def test_a_number_that_lost_digits_goes_to_quarantine(tmp_path: Path, type: str) -> None:
    column: Any = {"name": "n", "logicalType": type}
    if type != "string":
        column["customProperties"] = [
            {"property": "unit", "value": "count"},
            {"property": "missing", "value": ["-3.4028234663852886e+38"]},
        ]
    cells = [Decimal("12345678901234567890"), Decimal("12345678901234567891"), 2**53, 2**53 - 1,
             Decimal("-3.4028234663852886E+38")]  # fmt: skip
    sheet, _ = parsed(tmp_path, styled(["id", "n"], *(["a", c] for c in cells)),
                      ["id", column], "xlsx")  # fmt: skip
    lost = [torn for _, torn, *_ in sheet]
    assert all("beyond 2^53" in str(t) and "as text in the workbook" in str(t) for t in lost[:3])
    assert [str(t).split(" in ")[1].split()[0] for t in lost[:3]] == ["C2", "C3", "C4"]
    assert sheet[3][1:] == [None, "a", "9007199254740991"]
    # What the contract takes for no value is none.
    assert (sheet[4][1] is None) == (type != "string")


def test_times_of_day_and_durations() -> None:
    cells = [(0.4375, TIME), (0, TIME), (1.25, DURATION), (9.0843750 / 24, DURATION)]
    sheet = rows(styled(["h"], *([c] for c in cells), [(44260, DAY)], [(44260.4375, DAY)]), "xlsx")
    assert [t for (t,) in sheet[1:]] == [
        "10:30:00", "00:00:00", "30:00:00", "09:05:03.75", "2021-03-05 00:00:00",
        "2021-03-05 10:30:00",
    ]  # fmt: skip


def test_a_draft_takes_no_time_of_day_for_an_instant(lake: Settings) -> None:
    cells = [[f"a{n}", (n / 24, TIME)] for n in range(24)]
    assert draft_of(lake, styled(["id", "hora"], *cells)).columns[1].kind.type == "string"


def test_an_open_document_sheet() -> None:
    content = open_document(
        'office:value-type="float" office:value="0.6666666666666666"',
        'office:value-type="time" office:time-value="PT10H30M00S"',
        'office:value-type="time" office:time-value="PT30H05M07.5S"',
        'office:value-type="date" office:date-value="2021-03-05"',
    )
    assert [t for (t,) in rows(content, "xlsx")] == [
        "id", "0.6666666666666666", "10:30:00", "30:05:07.5", "2021-03-05 00:00:00",
    ]  # fmt: skip


def test_a_row_of_cells_without_value_is_one(tmp_path: Path) -> None:
    row = '<row r="3"><c r="B3" t="e"><v>#N/A</v></c></row></sheetData>'
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(styled(["id"], ["a"]))) as plain,
        zipfile.ZipFile(out, "w") as packed,
    ):
        for path in plain.namelist():
            packed.writestr(path, plain.read(path).decode().replace("</sheetData>", row))
    sheet, _ = parsed(tmp_path, out.getvalue(), ["id"], "xlsx")
    assert sheet == [[2, None, "a"], [3, "#N/A in B3", None]]


def test_a_sheet_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(TerminalError, match=r"no sheet 'Datos'; it has '1', '2'\.") as error:
        parsed(tmp_path, workbook([["id"], [1]], sheets=2), ["id"], "xlsx", sheet="Datos")
    assert "`sheet`" in error.value.fix and not error.value.detail
