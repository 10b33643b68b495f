"""Eight things that happen to weekly releases: what is told, what stops, what is taken back."""

from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path

import pytest
from command import CommandResult, yupana
from conftest import BOTH_ENGINES_LATER, SAMPLE

from yupana.config.settings import Settings
from yupana.data.lake import delta, history

NAME = "dengue_linelist"
YEAR, WEEK = 3, 6
HEADER, *LINES = gzip.decompress(SAMPLE.read_bytes()).decode().split("\r\n")
ROWS = [r for r in (line.split(",") for line in LINES if line) if r[YEAR] in ("2020", "2021")][::5]


def upto(week: int, year: int = 2021) -> list[list[str]]:
    """The release of a week: all rows up to it."""
    return [r for r in ROWS if (int(r[YEAR]), int(r[WEEK])) <= (year, week)]


class Desk:
    """A data engineer who ingests one release after the other, by the command."""

    def __init__(self, lake: Settings, folder: Path) -> None:
        self.lake, self.folder, self.files = lake, folder, 0
        self.table = lake.table("published", NAME)

    def ingest(
        self, rows: list[list[str]], as_of: str, *words: str, header: str = HEADER
    ) -> CommandResult:
        self.files += 1
        path = self.folder / f"{self.files}.csv"
        path.write_text("\n".join([header, *(",".join(r) for r in rows)]) + "\n", encoding="utf-8")
        return yupana(self.lake, "ingest", NAME, "--source", str(path), "--as-of", as_of, *words)

    def counts(self, version: int | None = None) -> int:
        return len(delta.read(self.table, version))

    def published(self) -> list[str]:
        return [str(p.known_on) for p in history.published_versions(self.table)]


@pytest.fixture
def desk(lake: Settings, tmp_path: Path) -> Desk:
    """One release is published: all weeks up to week 20 of 2021."""
    office = Desk(lake, tmp_path)
    first = office.ingest(upto(20), "2021-06-02")
    assert first.code == 0, first.stderr
    assert "set aside: no row" in first.stdout and "against version" not in first.stdout
    return office


@BOTH_ENGINES_LATER
def test_lower_old_counts_are_told_and_stop_over_the_bound(desk: Desk) -> None:
    rows = upto(21)
    few = [r for n, r in enumerate(rows) if n % 20 or r[YEAR] != "2020"]
    result = desk.ingest(few, "2021-06-09")
    assert result.code == 0, result.stderr
    fewer = len(rows) - len(few)
    assert f"{fewer:,} gone" in result.stdout and f"{fewer:,} rows revised" in result.stdout
    assert "periods new: 1 (2021-05-23)" in result.stdout and "warning" not in result.stdout
    many = [r for n, r in enumerate(rows) if n % 3 or r[YEAR] != "2020"]
    stopped = desk.ingest(many, "2021-06-16")
    assert stopped.code == 1 and "(past: 0.2). Nothing was published" in stopped.stderr
    assert "--accept-change" in stopped.stderr and len(desk.published()) == 2
    accepted = desk.ingest(many, "2021-06-16", "--accept-change", "duplicates of 2020 taken out")
    assert accepted.code == 0 and "warning: " in accepted.stdout
    assert desk.counts() == len(many)


def test_a_new_column_is_told(desk: Desk) -> None:
    rows = [[*r, "34"] for r in upto(21)]
    result = desk.ingest(rows, "2021-06-09", header=HEADER + ",Edad")
    assert result.code == 0
    assert "Edad" in result.stdout + result.stderr, "a column that the contract does not name"
    assert desk.counts() == len(rows)


def test_a_renamed_column_stops(desk: Desk) -> None:
    result = desk.ingest(upto(21), "2021-06-09", header=HEADER.replace(",Semana,", ",SE,"))
    assert result.code == 1 and "Semana" in result.stderr and len(desk.published()) == 1


def test_rows_of_the_next_year_are_new_periods(desk: Desk) -> None:
    later = [[*r[:YEAR], "2022", *r[YEAR + 1 :]] for r in upto(10) if r[YEAR] == "2021"]
    result = desk.ingest([*upto(20), *later], "2022-03-20")
    assert result.code == 0, result.stderr
    weeks = len({r[WEEK] for r in later})
    assert f"periods new: {weeks} (2022-01-02 to 2022-03-06)" in result.stdout
    assert f"rows: {len(later):,} new, 0 gone" in result.stdout


@BOTH_ENGINES_LATER
def test_an_error_is_taken_back_by_the_right_file(desk: Desk) -> None:
    wrong = [[*r[:7], "Probables", *r[8:]] if r[YEAR] == "2021" else r for r in upto(21)]
    assert desk.ingest(wrong, "2021-06-09", "--accept-change", "the agency says so").code == 0
    result = yupana(desk.lake, "retract", f"{NAME}@1", "--reason", "a class for another")
    assert result.code == 0 and "version 0 is current" in result.stdout
    assert desk.counts() == len(upto(20))
    again = desk.ingest(wrong, "2021-06-16")
    assert again.code == 1 and "retracted: a class for another" in again.stderr
    right = desk.ingest(upto(21), "2021-06-09")
    assert right.code == 0 and "against version 0:" in right.stdout
    assert history.known_as_of(desk.table, date(2021, 6, 10)).rows["published"] == len(upto(21))
    assert desk.published() == ["2021-06-02", "2021-06-09"]
    before = history.at_version(desk.table, 1)
    assert before.retracted == "a class for another"


@BOTH_ENGINES_LATER
def test_a_release_that_comes_late_finds_its_place(desk: Desk) -> None:
    assert desk.ingest(upto(23), "2021-06-23").code == 0
    late = desk.ingest(upto(21), "2021-06-09")
    assert late.code == 0 and "against version 0:" in late.stdout
    assert desk.published() == ["2021-06-02", "2021-06-09", "2021-06-23"]
    assert desk.counts() == len(upto(23)), "the newest release stays what is current"
    for day, week in ((9, 21), (22, 21), (23, 23)):
        publication = history.known_as_of(desk.table, date(2021, 6, day))
        assert publication.rows["published"] == len(upto(week))
    change = json.loads(yupana(desk.lake, "diff", NAME, "--json").stdout)
    assert change["periods_new"] == ["2021-05-30", "2021-06-06"]


def test_every_row_twice_stops(desk: Desk) -> None:
    result = desk.ingest([*upto(20), *upto(20)], "2021-06-09")
    assert result.code == 1 and "'period.once', and the contract allows 2%" in result.stderr
    assert desk.counts() == len(upto(20))


def test_the_last_week_alone_stops(desk: Desk) -> None:
    week = [r for r in upto(21) if r[YEAR] == "2021" and r[WEEK] == "21"]
    result = desk.ingest(week, "2021-06-09")
    assert result.code == 1 and "periods are gone" in result.stderr
    assert "(periods: keep)" in result.stderr and desk.counts() == len(upto(20))
    report = result.stderr.split("compared in ")[1].split("\n")[0]
    assert json.loads(Path(report).read_text())["after"] is None
