"""Line lists as the agency publishes them: what is counted, left out and refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import planted
import polars as pl
import pytest

from models.outbreak import USE_CASE as OUTBREAK
from models.outbreak import linelist
from yupana.config.settings import ROOT
from yupana.core.errors import TerminalError, UsageError
from yupana.tasks.forecast.backtest import areas
from yupana.tasks.forecast.backtest.areas import Counts

TODAY = date(2026, 11, 24)


def silent(_: str) -> None:
    return None


def read(*files: Path) -> Counts:
    return linelist.read(files, "LORETO", ROOT, today=TODAY, say=silent)


@pytest.fixture(scope="module")
def cases() -> planted.Weeks:
    return planted.weeks()


def test_files_are_joined_and_may_be_packed(tmp_path: Path, cases: planted.Weeks) -> None:
    whole = read(planted.write(tmp_path / "all.csv", cases))
    old = {key: n for key, n in cases.items() if key[1] < 2015}
    new = {key: n for key, n in cases.items() if key[1] >= 2015}
    parts = (
        planted.write(tmp_path / "old.csv.gz", old),
        planted.write(tmp_path / "new.csv", new),
    )
    joined = read(*parts)
    assert joined.counts.equals(whole.counts)
    assert joined.last == whole.last
    assert (whole.counts["cases"].sum()) == sum(cases.values())


def test_the_same_weeks_twice_are_refused(tmp_path: Path, cases: planted.Weeks) -> None:
    whole = planted.write(tmp_path / "all.csv", cases)
    again = planted.write(tmp_path / "2015.csv", {k: n for k, n in cases.items() if k[1] == 2015})
    for pair in ((whole, again), (again, whole), (whole, whole)):
        with pytest.raises(UsageError, match="in another file too"):
            read(*pair)


def test_the_53rd_week_is_a_week(tmp_path: Path) -> None:
    counts = read(planted.write(tmp_path / "a.csv", {("160101", 2014, 53): 3}))
    assert counts.counts.rows() == [("160101", date(2014, 12, 28), 3)]


def test_a_few_rows_at_fault_are_left_out_and_told(tmp_path: Path, cases: planted.Weeks) -> None:
    broken = list(planted.row("160101", 2014, 4))
    broken[2] = "ATLANTIS"
    path = planted.write(tmp_path / "a.csv", cases, [tuple(broken)])
    lines: list[str] = []
    counts = linelist.read([path], "LORETO", ROOT, today=TODAY, say=lines.append)
    assert counts.left_out == 1
    assert (
        f"line {sum(cases.values()) + 2}, column Distrito: LORETO / MAYNAS / ATLANTIS" in lines[0]
    )


@pytest.mark.parametrize(
    ("place", "value", "column"),
    [(2, "ATLANTIS", "Distrito"), (6, 54, "Semana"), (9, "many", "DIS"), (5, "Malaria", "Eventos")],
)
def test_many_rows_at_fault_stop_it(tmp_path: Path, place: int, value: object, column: str) -> None:
    broken = list(planted.row("160101", 2014, 4))
    broken[place] = value
    path = planted.write(tmp_path / "a.csv", {("160101", 2014, 3): 5}, [tuple(broken)])
    with pytest.raises(TerminalError) as caught:
        read(path)
    assert caught.value.where.startswith(f"{path}, line 7, column {column}")
    assert caught.value.fix


def test_a_week_in_the_future_is_refused(tmp_path: Path, cases: planted.Weeks) -> None:
    path = planted.write(tmp_path / "a.csv", cases, [planted.row("160101", 2031, 4)])
    with pytest.raises(TerminalError, match="have not begun on 2026-11-24") as caught:
        read(path)
    assert "column Semana" in caught.value.where


def test_files_that_are_no_line_list_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        read(tmp_path / "absent.csv")
    (tmp_path / "other.csv").write_text("Distrito,Ano\nIQUITOS,2014\n")
    with pytest.raises(UsageError, match="lacks columns: Departamnento, Provincia"):
        read(tmp_path / "other.csv")
    for name, content in (("empty.csv", b""), ("bad.csv.gz", b"\x1f\x8bnothing")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UsageError, match="cannot be read"):
            read(tmp_path / name)
    wide = planted.write(tmp_path / "wide.csv", {("160101", 2014, 4): 2}, [("LORETO",) * 12])
    latin = planted.write(tmp_path / "latin.csv", {("160101", 2014, 4): 2})
    latin.write_bytes(latin.read_bytes() + "LORETO,DATEM DEL MARAÑON,".encode("latin-1"))
    for path, place in ((wide, "line 4, column 11"), (latin, "line 4, byte 22")):
        with pytest.raises(UsageError, match="cannot be read") as caught:
            read(path)
        assert caught.value.where == f"{path}, {place}"
    with pytest.raises(UsageError, match="has no rows"):
        read(planted.write(tmp_path / "header.csv", {}))
    with pytest.raises(TerminalError, match="no case of PUNO") as caught:
        path = planted.write(tmp_path / "a.csv", {("160101", 2014, 4): 1})
        linelist.read([path], "PUNO", ROOT, today=TODAY, say=silent)
    assert "LORETO" in caught.value.fix


def test_departments_are_found_by_name_and_near_names_are_told() -> None:
    assert areas.department("loreto") == ("16", "LORETO")
    assert areas.department("Huánuco")[1] == "HUANUCO"
    with pytest.raises(UsageError) as caught:
        areas.department("LORTO")
    assert "LORETO" in caught.value.fix


def test_weeks_end_where_the_files_end_in_any_department(tmp_path: Path) -> None:
    far = ("PUNO", "SANDIA", "SANDIA", 2014, 19, "Dengue")
    more = [
        (*far, 9, "", "Probables", 1),
        ("PUNO", "SANDIA", "SANDIA", 2039, *far[4:], 9, "", "", 1),
    ]
    counts = read(planted.write(tmp_path / "a.csv", {("160101", 2014, 4): 1}, more))
    assert counts.last == planted.starts()[2014, 9]


def test_the_published_table_gives_the_same_counts(tmp_path: Path, cases: planted.Weeks) -> None:
    starts = planted.starts()
    rows = [(u, starts[y, w]) for (u, y, w), n in cases.items() for _ in range(n)]
    table = pl.DataFrame(rows, schema=["ubigeo", "week_start"], orient="row").with_columns(cases=1)
    counts = OUTBREAK.read_published(table, "16", "LORETO", today=TODAY)
    expected = read(planted.write(tmp_path / "a.csv", cases))
    assert counts.counts.equals(expected.counts)
    assert counts.last == expected.last
    with pytest.raises(TerminalError, match="no case of PUNO"):
        OUTBREAK.read_published(table, "21", "PUNO", today=TODAY)
    with pytest.raises(TerminalError, match="have not begun"):
        OUTBREAK.read_published(table, "16", "LORETO", today=date(2014, 1, 1))
