"""JSON, Parquet and workbooks as agencies publish them, handed on as texts."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pandas as pd
import polars as pl
import pytest

from yupana.core.errors import TerminalError
from yupana.core.progress import Progress, Silent
from yupana.data.parsing import documents
from yupana.data.parsing.documents import objects


def rows(
    content: bytes | str,
    format: str = "json",
    encoding: str = "UTF-8",
    progress: Progress | None = None,
    path: str | None = None,
    used: tuple[str, ...] = (),
    header_rows: tuple[int, ...] = (1,),
) -> list[list[Any]]:
    raw = content.encode() if isinstance(content, str) else content
    about: Any = SimpleNamespace(
        format=format, encoding=encoding, sheet=None, header_rows=header_rows, records=path,
        used=[SimpleNamespace(published=name, missing=(), fill=False, unit="") for name in used],
    )  # fmt: skip
    names, table = documents.texts(about, io.BytesIO(raw), "in", progress or Silent())
    return [names, *(list(row.values())[2:] for row in table.to_pylist())]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('[{"a": 1, "b": 0.1}, {"b": null, "c": true}]',
         [["a", "b", "c"], ["1", "0.1", None], [None, None, "true"]]),
        ('{"a": 12345678901234567890}\n\n{"a": "ñ"}\n', [["a"], ["12345678901234567890"], ["ñ"]]),
        ('{"a": {"b": [1, "é"]}}', [["a"], ['{"b": [1, "é"]}']]),
        ('{"a": {"b": [1.10, 12345678901234567890123.5, 1e400, -0.0], "ñ": null, "c": true}}',
         [["a"], ['{"b": [1.10, 12345678901234567890123.5, 1E+400, -0.0], "ñ": null, "c": true}']]),
        ('\ufeff[{"a": 1}]', [["a"], ["1"]]),
        ('{"type": "FeatureCollection", "features": [{"properties": {"a": 1}, "geometry": '
         '{"type": "Point", "coordinates": [-73.2, -3.7]}}, {"properties": null}]}',
         [["a", "geometry"], ["1", '{"type": "Point", "coordinates": [-73.2, -3.7]}'],
          [None, None]]),
    ],
)  # fmt: skip
def test_records_of_json(content: str, expected: list[list[Any]]) -> None:
    assert rows(content) == expected


def test_json_of_another_encoding() -> None:
    content = '[{"a": "PEÑA"}]'.encode("latin-1")
    assert rows(content, encoding="latin-1") == [["a"], ["PEÑA"]]
    with pytest.raises(TerminalError, match="not UTF-8") as error:
        rows(b'[\n{"a": "PE\xd1A"}]')
    assert "line 2" in str(error.value) and "encoding" in error.value.fix


@pytest.mark.parametrize(
    ("content", "where"),
    [
        ('{"a": 1}\n{"a": \n', "line 2"),
        ("id,cases\n1,2\n", "line 1, column 1"),
        ('[{"a": 1}, 5]', "record 2"),
        ("[1]", "record 1"),
        ("5", "record 1"),
        ('{"a": 1}\n[2]\n', "line 2"),
    ],
)
def test_what_is_no_record_is_refused_with_its_place(content: str, where: str) -> None:
    with pytest.raises(TerminalError) as error:
        rows(content)
    assert error.value.where.startswith(f"in, {where}")


@pytest.mark.parametrize(
    ("content", "where"),
    [
        ("[" * 100_000, ""),
        ('[{"a": 1}, {"a": ' + "9" * 5000 + "}]", ", record 2"),
        ('[{"a": 1}, {"b": {"c": ["\\ud800"]}}]', ", record 2"),
        ('{"a": 1}\n\n{"\\udc00": 1}\n', ", line 3"),
        ('[{"a": 1e99999999999999999999}]', ", record 1"),
        ('[{"a": 1}, {"b": [{"a": 1, "a": 2}]}]', ", record 2"),
        ('{"a": 1}\n{"a": 1, "a": 2}\n', ", line 2"),
        ('{"a": -Infinity}\n{"a": 1}\n', ", line 1"),
        ('{"type": "FeatureCollection", "features": [{"properties": {"a": 1}},'
         '{"properties": {"a": 1}, "geometry": {"coordinates": [NaN, 1]}}]}', ", record 2"),
    ],
)  # fmt: skip
def test_what_no_table_can_hold_is_refused_with_its_record(content: str, where: str) -> None:
    with pytest.raises(TerminalError, match="what no table can") as error:
        rows(content)
    assert error.value.where == f"in{where}" and not error.value.detail


@pytest.mark.parametrize(
    "content", ["[]", "", "\n", '{"type": "FeatureCollection", "features": []}', "[{}, {}]"]
)
def test_json_without_a_record_says_so(content: str) -> None:
    with pytest.raises(TerminalError, match=r"no record|no field") as error:
        rows(content)
    assert "headerRow" not in error.value.fix and "`records`" in error.value.fix


def test_a_parquet_file_of_pandas() -> None:
    frame = pd.DataFrame(
        {
            "code": [10101.0, None],
            "share": [0.25, 2**60 + 0.0],
            "name": [b"ABC", "Ñ".encode()],
            "day": [datetime(2021, 3, 5), None],
            "time": [datetime(2021, 3, 5), datetime(2021, 3, 5, 10, 30)],
            "yes": [True, False],
            "many": [[1, 2], []],
            "sums": [[Decimal("1.10"), None], [Decimal("12345678901234567890123.50")]],
        }
    )
    out = io.BytesIO()
    frame.to_parquet(out)
    names, *values = rows(out.getvalue(), "parquet")
    assert names == list(frame.columns)
    assert values == [
        ["10101", "0.25", "ABC", "2021-03-05", "2021-03-05 00:00:00", "true", "[1, 2]",
         "[1.10, null]"],
        [None, "1.152921504606847e+18", "Ñ", None, "2021-03-05 10:30:00", "false", "[]",
         "[12345678901234567890123.50]"],
    ]


def test_bytes_that_are_no_text_are_read_by_no_contract() -> None:
    out = io.BytesIO()
    pl.DataFrame({"id": ["a"], "geometry": [b"\xff\xfe"]}).write_parquet(out)
    lines: list[str] = []
    progress: Any = SimpleNamespace(say=lines.append)
    assert rows(out.getvalue(), "parquet", progress=progress) == [["id"], ["a"]]
    assert lines == ["bytes that are no text are not read: 'geometry'"]
    with pytest.raises(TerminalError, match="'geometry' holds bytes") as error:
        rows(out.getvalue(), "parquet", used=("id", "geometry"))
    assert not error.value.detail


def test_nanoseconds_of_parquet_are_not_cut() -> None:
    ticks = pl.Series([1614940200123456789, 1614940200123456000, None])
    clock = pl.Series([37_800_000_000_001, 37_800_000_000_000, None])
    frame = {
        "a": ticks.cast(pl.Datetime("ns")),
        "lima": ticks.cast(pl.Datetime("ns", "America/Lima")),
        "t": clock.cast(pl.Time),
        "d": [timedelta(hours=30), timedelta(minutes=545), None],
    }
    out = io.BytesIO()
    pl.DataFrame(frame).write_parquet(out)
    assert rows(out.getvalue(), "parquet")[1:] == [
        ["2021-03-05 10:30:00.123456789", "2021-03-05 05:30:00.123456789-05:00",
         "10:30:00.000000001", "30:00:00"],
        ["2021-03-05 10:30:00.123456", "2021-03-05 05:30:00.123456-05:00", "10:30:00", "09:05:00"],
        [None] * 4,
    ]  # fmt: skip


def workbook(cells: list[list[Any]], sheets: int = 1, merged: str = "") -> bytes:
    """The smallest workbook with these cells in each of its sheets (ECMA-376)."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"

    def cell(value: Any) -> str:
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
        return f"<c><v>{value}</v></c>"

    data = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in cells)
    def links(kinds: str, target: str) -> str:
        link = f'<Relationship Id="a" Type="{kind}/{kinds}" Target="{target}"/>'
        return f'<Relationships xmlns="{package}/relationships">{link}</Relationships>'

    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"/>',
        "_rels/.rels": links("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{kind}"><sheets>'
        + "".join(f'<sheet name="{n}" sheetId="{n}" r:id="a"/>' for n in range(1, sheets + 1))
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": links("worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{data}</sheetData>'
        f"{merged}</worksheet>",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for path, text in parts.items():
            packed.writestr(path, text)
    return out.getvalue()


@pytest.mark.parametrize("name", ["total", ""])
def test_a_name_that_stands_twice_in_a_workbook_stays_twice(name: str) -> None:
    content = workbook([["id", name, "total"], [1, 10, 99], [], [3, "x", 0.5]])
    assert rows(content, "xlsx") == [
        ["id", name, "total"], ["1", "10", "99"], ["3", "x", "0.5"]
    ]  # fmt: skip


def test_a_header_below_the_last_row_is_refused() -> None:
    with pytest.raises(TerminalError, match=r"no row 4.*ends at row 2") as error:
        rows(workbook([["id"], [1]]), "xlsx", header_rows=(3, 4))
    assert "headerRow" in error.value.fix


def test_a_sheet_that_is_not_read_is_named() -> None:
    lines: list[str] = []
    progress: Any = SimpleNamespace(say=lines.append)
    assert rows(workbook([["id"], [1]], sheets=2), "xlsx", progress=progress) == [["id"], ["1"]]
    assert lines == ["sheet '1' is read, not 2; `sheet` names another"]


def test_cells_that_are_merged_over_rows_are_told() -> None:
    lines: list[str] = []
    progress: Any = SimpleNamespace(say=lines.append)
    merged = '<mergeCells><mergeCell ref="A1:B1"/><mergeCell ref="A2:A3"/></mergeCells>'
    content = workbook([["id", "n"], ["a", 1], ["", 2]], merged=merged)
    assert rows(content, "xlsx", progress=progress)[1][0] == "a"
    assert len(lines) == 1 and "1 merged cells run over several rows, e.g. A2:A3" in lines[0]


def test_nothing_is_lost_on_the_way_through_json() -> None:
    records = [{"t": "a\u2028b\n", "n": -0.0}, {"t": "\x85"}]
    for text in (json.dumps(records), "\n".join(map(json.dumps, records))):
        names, table = objects.texts(text.encode(), "UTF-8", "in", None, [])
        assert names == ["t", "n"]
        assert table["c0"].to_pylist() == ["a\u2028b\n", "\x85"]
        assert table["c1"].to_pylist() == ["0", None]
