"""Shapes of files that a contract declares: header, rows that are none, places, paths, texts."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from test_documents import workbook

from yupana.config.settings import ROOT, Settings
from yupana.core.errors import TerminalError
from yupana.core.hashing import file_sha256
from yupana.core.types import RawObject
from yupana.data import parsing
from yupana.data.contracts import contract as contracts

Row = list[Any]


def parsed(
    root: Path,
    content: str | bytes,
    columns: list[str | dict[str, Any]],
    format: str = "csv",
    **options: Any,
) -> tuple[list[Row], list[str]]:
    """(line, torn or None, texts) of each row, and what the progress was told."""
    about = yaml.safe_load((ROOT / "expectations/iquitos_weekly/contract.yaml").read_text())
    about["customProperties"] = [{"property": k, "value": v} for k, v in options.items()]
    about["servers"][0]["format"] = format
    about["schema"][0]["properties"] = [
        {"logicalType": "string", **({"name": c} if isinstance(c, str) else c)} for c in columns
    ]
    folder = root / "expectations" / "one"
    folder.mkdir(parents=True)
    (folder / "contract.yaml").write_text(yaml.safe_dump(about))
    path = root / "file"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    raw = RawObject(dataset="one", path=str(path), sha256=file_sha256(path), size=1, source="file")
    lines: list[str] = []
    progress: Any = SimpleNamespace(say=lines.append)
    contract = contracts.load(root, "one")
    out = parsing.parse(Settings(home=root), contract, raw, root / "work", progress)
    return [list(row.values()) for row in pq.read_table(out).to_pylist()], lines


def test_names_in_two_rows_are_joined_and_the_upper_one_spans(tmp_path: Path) -> None:
    text = "Cuadro 1\n,Casos,,Muertes\nDistrito,Mujeres,Hombres,\nIquitos,5,6,0\n"
    columns: list[Any] = ["Distrito", "Casos Mujeres", "Casos Hombres", "Muertes"]
    properties = [{"name": f"c{i}", "physicalName": n} for i, n in enumerate(columns)]
    rows, _ = parsed(tmp_path, text, properties, headerRow=[2, 3])  # type: ignore[arg-type]
    assert rows == [[4, None, "Iquitos", "5", "6", "0"]]


def test_a_file_without_names_is_read_in_the_contracts_order(tmp_path: Path) -> None:
    rows, _ = parsed(tmp_path, "1;a\n2;b\n3\n", ["id", "name"], headerRow=0, delimiter=",;")
    assert rows == [[1, None, "1", "a"], [2, None, "2", "b"], [3, "1 fields, not 2", "3", None]]


def test_lines_that_are_no_rows_are_left_out_and_counted(tmp_path: Path) -> None:
    text = "id,n\nA,5\n,12\nB,7\nid,n\nTOTAL,12\nFuente: MINSA\n"
    rows, lines = parsed(tmp_path, text, ["id", "n"], skip="^(TOTAL|Fuente:|id,n$|,)")
    assert rows == [[2, None, "A", "5"], [4, None, "B", "7"]]
    assert lines == ["4 lines are left out by the contract's `skip`"]


def test_a_line_that_looks_like_a_total_is_reported(tmp_path: Path) -> None:
    rows, lines = parsed(tmp_path, "id,n\nA,5\nSubtotal,5\nTotal,5\nTotora,1\n", ["id", "n"])
    assert len(rows) == 4
    assert lines[0].startswith("2 lines look like totals, the first is line 3")
    assert "`skip`" in lines[0]


def test_fields_of_fixed_places(tmp_path: Path) -> None:
    text = (
        "UBIGEO CASOS NOMBRE\n010101   12 Peña \n010102    3 Ñaña de Abajo\n010103\n0101\n\n"
        "160101    4 X"
    )
    names = ("UBIGEO", "CASOS", "NOMBRE")
    columns: list[Any] = [{"name": n.lower(), "physicalName": n} for n in names]
    rows, _ = parsed(tmp_path, text, columns, widths=[6, 6, 14])
    assert rows == [
        [2, None, "010101", "12", "Peña"],
        [3, None, "010102", "3", "Ñaña de Abajo"],
        [4, None, "010103", None, None],
        [5, "4 characters, not 26", "0101", None, None],
        [7, None, "160101", "4", "X"],
    ]


def test_many_lines_of_fixed_places_keep_their_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yupana.data.parsing.fixed_width._BLOCK", 50)
    text = "".join(f"{n:4}x\n" for n in range(1, 500))
    rows, _ = parsed(tmp_path, text, ["n", "x"], widths=[4, 1], headerRow=0)
    assert rows == [[n, None, str(n), "x"] for n in range(1, 500)]


def test_an_empty_cell_takes_what_stands_above(tmp_path: Path) -> None:
    columns: list[Any] = [
        {"name": "dept", "customProperties": [{"property": "fill", "value": "down"}]}, "n",
    ]  # fmt: skip
    text = "dept,n\n,0\nLORETO,1\n,2\nTOTAL,3\n,4\nUCAYALI,\n"
    rows, _ = parsed(tmp_path, text, columns, skip="^TOTAL")
    assert [row[2:] for row in rows] == [
        [None, "0"], ["LORETO", "1"], ["LORETO", "2"], ["LORETO", "4"], ["UCAYALI", None],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "right", "pair"),
    [("PEÃ\u2018A", "PEÑA", "Ã‘"), ("IbÃ¡Ã±ez", "Ibáñez", "Ã¡"), ("25 Â°C", "25 °C", "Â°"),
     ("â€œsíâ€\x9d", "“sí”", "â€œ")],
)  # fmt: skip
def test_text_that_was_encoded_twice(tmp_path: Path, text: str, right: str, pair: str) -> None:
    content = f"id,name\n1,PEÑA\n2,{text}\n"
    with pytest.raises(TerminalError, match="1 texts were encoded twice") as error:
        parsed(tmp_path / "a", content, ["id", "name"])
    assert f"'{pair}' stands for" in str(error.value)
    assert "line 3, column name" in error.value.where and "mojibake" in error.value.fix
    rows, _ = parsed(tmp_path / "b", content, ["id", "name"], mojibake="repair")
    assert [row[3] for row in rows] == ["PEÑA", right]


@pytest.mark.parametrize("right", ["piña", "PEÑA", "“sí 25 °C – 5 €", "Ibáñez ŠKODA"])
def test_text_that_was_encoded_many_times_is_mended_whole(tmp_path: Path, right: str) -> None:
    text = right
    for _ in range(3):
        text = text.encode().decode("cp1252")
        rows, _ = parsed(tmp_path / str(len(text)), f"id\n{text}\n", ["id"], mojibake="repair")
        assert [row[2] for row in rows] == [right]


@pytest.mark.parametrize("text", ["CÃ\ufffdCERES", "PEï¿½A", "PEÃ¯Â¿Â½A"])
def test_a_row_that_cannot_be_mended_is_set_aside(tmp_path: Path, text: str) -> None:
    rows, _ = parsed(tmp_path, f"id,n\n{text},1\nPEÃ\u2018A,2\n", ["id", "n"], mojibake="repair")
    assert "letter of 'id' is lost" in rows[0][1] and rows[1][1:] == [None, "PEÑA", "2"]


def test_capitals_of_other_languages_are_not_taken_for_it(tmp_path: Path) -> None:
    rows, _ = parsed(tmp_path, "id\nSÃO TOMÉ\nMAÇÃ\nÂNGELO\n", ["id"])
    assert [row[2] for row in rows] == ["SÃO TOMÉ", "MAÇÃ", "ÂNGELO"]


def test_records_inside_of_json(tmp_path: Path) -> None:
    inside = {"result": {"total": 2, "records": [
        {"id": 1.50, "place": {"lat": -3.7}}, {"id": 2, "place": None}]}}  # fmt: skip
    columns: list[Any] = ["id", {"name": "lat", "physicalName": "place.lat"}]
    content = json.dumps(inside).replace("1.5,", "1.50,")
    rows, _ = parsed(tmp_path, content, columns, "json", records="result.records")
    assert rows == [[1, None, "1.50", "-3.7"], [2, None, "2", None]]


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        ('{"id": 1}\n{"id": 2}\n{"id": 3}\n', [1, 2, 3]),
        ('\n{"id": 1}\r\n\r\n{"id": 2}\n{"id": 3}', [2, 4, 5]),
        ('[{"id": 1},\n\n {"id": 2}, {"id": 3}]', [1, 2, 3]),
        ('{"id": "1"}\n{"id": "a\u2028b\u0085c"}\n{"id": 3}\n', [1, 2, 3]),
        ('{"type": "FeatureCollection", "features": [{"properties": {"id": 1}}]}', [1]),
    ],
)
def test_a_record_has_its_line_or_its_number(
    tmp_path: Path, content: str, lines: list[int]
) -> None:
    rows, _ = parsed(tmp_path, content, ["id"], "json")
    assert [row[0] for row in rows] == lines


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        ('{"data": []}', {"records": "result.records"}, "no 'result'"),
        ('[{"id": 1, "id": 2}]', {}, "'id' stands twice"),
        ('[{"id": NaN}]', {}, "NaN is no number"),
        ('[{"id": 1}', {"records": "data"}, "is no JSON"),
    ],
)
def test_json_that_would_lose_something_is_refused(
    tmp_path: Path, content: str, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(TerminalError, match=says):
        parsed(tmp_path, content, ["id"], "json", **options)


def test_a_geometry_is_wkb_and_a_centroid(tmp_path: Path) -> None:
    square = [[[-74, -4], [-72, -4], [-72, -3], [-74, -3], [-74, -4]]]
    shapes = [{"type": "Polygon", "coordinates": square}, None,
              {"type": "Point", "coordinates": [693_000, 9_585_000]},
              {"type": "Polygon", "coordinates": "?"}]  # fmt: skip
    features = [{"properties": {"id": n}, "geometry": s} for n, s in enumerate(shapes)]
    columns: list[Any] = ["id"] + [
        {"name": n, "physicalName": f"geometry.{n}"} for n in ("wkb", "longitude", "latitude")
    ]  # type: ignore[operator]
    content = json.dumps({"type": "FeatureCollection", "features": features})
    rows, _ = parsed(tmp_path, content, columns, "json")
    assert rows[0][2:] == ["0", rows[0][3], "-73.000000", "-3.500000"]
    assert bytes.fromhex(rows[0][3])[:5] == b"\x01\x03\x00\x00\x00"
    assert rows[1] == [2, None, "1", None, None, None]
    assert "degrees" in rows[2][1] and "cannot be read" in rows[3][1]


def test_cells_without_value_are_reported(tmp_path: Path) -> None:
    cells = (
        '<row r="2"><c r="B2" t="inlineStr"><is><t>id</t></is></c>'
        '<c r="C2" t="inlineStr"><is><t>n</t></is></c></row>'
        '<row r="3"><c r="A3" s="1"/><c r="B3"><v>1</v></c><c r="C3" t="e"><v>#N/A</v></c></row>'
        '<row r="5"><c r="B5"><v>2</v></c><c r="C5"><f>B5*2</f></c></row>'
        '<row r="6"><c r="B6"><v>3</v></c><c r="C6"><f>B6*2</f><v>6</v></c></row>'
    )
    old, book = zipfile.ZipFile(io.BytesIO(workbook([[1]]))), io.BytesIO()
    with zipfile.ZipFile(book, "w") as out:
        for name in old.namelist():
            text = old.read(name).decode()
            out.writestr(name, text.replace("<row><c><v>1</v></c></row>", cells))
    rows, _ = parsed(tmp_path / "a", book.getvalue(), ["id", "n"], "xlsx", headerRow=2)
    assert rows == [
        [3, "#N/A in C3", "1", None],
        [5, "a formula without value in C5", "2", None],
        [6, None, "3", "6"],
    ]
    marked: Any = {"name": "n", "customProperties": [{"property": "missing", "value": "#N/A"}]}
    rows, _ = parsed(tmp_path / "b", book.getvalue(), ["id", marked], "xlsx", headerRow=2)
    assert [row[1] for row in rows] == [None, "a formula without value in C5", None]


@pytest.mark.parametrize(
    ("text", "options", "says", "fix"),
    [
        ("id;n\n1;2\n", {}, "The header is one field", 'delimiter` to ";"'),
        ("id\tn\n1\t2\n", {}, "The header is one field", r'"\t"'),
        ("id,n\n1,2\n", {"headerRow": 9}, "has no line 9", "headerRow"),
        ("\nid,n\n", {}, "Line 1 is empty", "such as 2"),
        ("sep=;\nid;n\n1;2\n", {"delimiter": ";"}, "'sep='", "`headerRow` to 2"),
        ('"id,n\n1,2\n', {}, "A quote in the header, line 1", "Mend that line"),
        ("id,n\n1,\0\n", {}, "is not text", "Fetch it again"),
        ("id,n\n1,2\n".encode("utf-16-le"), {}, "is utf-16-le", "`encoding` to utf-16-le"),
        ("id,n\n1,2\n".encode("utf-16-be"), {}, "is utf-16-be", "`encoding` to utf-16-be"),
    ],
)
def test_a_wrong_dialect_is_told_with_its_mend(
    tmp_path: Path, text: str | bytes, options: dict[str, Any], says: str, fix: str
) -> None:
    with pytest.raises(TerminalError, match=says) as error:
        parsed(tmp_path, text, ["id", "n"], **options)
    assert fix in error.value.fix


@pytest.mark.parametrize(
    "content",
    [b"\xef\xbb\xbf\xef\xbb\xbfid,n\n1,2\n", b"id,n\r\r\n1,2\r\r\n", b"id,n\r\n1,2\r\n\x1a",
     b"id , n\n1,2\n"],
)  # fmt: skip
def test_marks_that_mean_nothing_are_left_out(tmp_path: Path, content: bytes) -> None:
    rows, _ = parsed(tmp_path, content, ["id", "n"])
    assert rows == [[2, None, "1", "2"]]


@pytest.mark.parametrize("mark", [",", ";"])
def test_a_file_without_names_does_not_show_its_first_row(tmp_path: Path, mark: str) -> None:
    row = mark.join(["45678901", "Rosaura Ñahui", "3"])
    with pytest.raises(TerminalError) as error:
        parsed(tmp_path, f"{row}\n{row}\n", ["dni", "nombre", "n"])
    message = str(error.value)
    assert "45678901" not in message and "Rosaura" not in message
    assert mark.join(["99999999", "Aaaaaaa Aaaaa", "9"]).replace(",", ", ") in message
    assert ("`headerRow`" if mark == "," else "`delimiter`") in error.value.fix


def test_a_header_with_one_other_name_shows_it(tmp_path: Path) -> None:
    with pytest.raises(TerminalError, match="'nombre' is not in the file") as error:
        parsed(tmp_path, "dni,Nombres,n\n1,Ana,2\n", ["dni", "nombre", "n"])
    assert "now called 'Nombres'" in error.value.fix and "dni, Nombres, n" in error.value.where
