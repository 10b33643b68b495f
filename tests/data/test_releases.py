"""The line list lives on: releases of later years, week by week, and rows from the future."""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from conftest import BOTH_ENGINES, SAMPLE

from yupana.config.settings import ROOT, Settings
from yupana.core.errors import TerminalError
from yupana.core.progress import Silent
from yupana.data.contracts import contract
from yupana.data.contracts.rules import Rule
from yupana.data.lake import delta, history
from yupana.data.national import calendar
from yupana.data.publication import quarantine
from yupana.orchestration.ingest import ingest

NAME = "dengue_linelist"
YEAR, WEEK = 3, 6
STARTS = {(year, week): start for year, week, start in calendar.epiweek_starts(2020, 2040)}
EPIWEEK, EPIYEAR = "week_start.not_after_release", "year.not_after_release"


def moved(line: bytes, year: int, week: int | None = None) -> bytes:
    fields = line.split(b",")
    fields[YEAR] = b"%d" % year
    fields[WEEK] = fields[WEEK] if week is None else b"%d" % week
    return b",".join(fields)


@pytest.fixture(scope="module")
def header_and_rows() -> tuple[bytes, list[bytes]]:
    """The sample's rows of its last year, none whose district is empty."""
    header, *lines = gzip.decompress(SAMPLE.read_bytes()).splitlines(keepends=True)
    last = [x for x in lines if x.split(b",")[YEAR] == b"2021" and x.split(b",")[2]]
    return header, last


@pytest.fixture(scope="module")
def rows(header_and_rows: tuple[bytes, list[bytes]]) -> dict[tuple[int, int], list[bytes]]:
    """Rows of 2021 to 2023 by year and week; those of the later years are 2021's, moved."""
    by_week: dict[tuple[int, int], list[bytes]] = {}
    for year in (2021, 2022, 2023):
        for line in header_and_rows[1][::10]:
            week = int(line.split(b",")[WEEK])
            by_week.setdefault((year, week), []).append(moved(line, year))
    return by_week


def write(path: Path, header: bytes, lines: list[bytes]) -> Path:
    path.write_bytes(b"".join([header, *lines]))
    return path


def publish(lake: Settings, path: Path, as_of: date | None) -> dict[str, int]:
    # A small sample grows faster than the contract's bounds allow a release.
    result = ingest(lake, NAME, str(path), Silent(), as_of=as_of, accept="a sample")
    counts: dict[str, int] = result.metrics["rows"]
    return counts


def broken(lake: Settings) -> dict[int, set[str]]:
    """Rules by line of the rows in quarantine."""
    aside = delta.read(lake.table("quarantine", NAME))
    return dict(zip(aside["source_line"], map(set, aside["broken_rules"]), strict=True))


def test_releases_of_later_years_are_taken_in_order(
    lake: Settings, tmp_path: Path, header_and_rows, rows
) -> None:
    """Each file holds all weeks until its own, as the ministry publishes on a Wednesday."""
    sizes = {}
    for upto in [(2021, 44), (2022, 1), (2022, 2), (2023, 40)]:
        lines = [line for week in sorted(rows) if week <= upto for line in rows[week]]
        path = write(tmp_path / f"{upto[0]}-{upto[1]}.csv", header_and_rows[0], lines)
        day = STARTS[upto] + timedelta(days=10)
        counts = publish(lake, path, day)
        assert counts == {"read": len(lines), "published": len(lines), "quarantined": 0}
        sizes[day] = len(lines)
    table = lake.table("published", NAME)
    for day, size in sizes.items():
        assert history.known_as_of(table, day + timedelta(days=1)).rows["published"] == size
    newest = delta.read(table)
    assert newest["week_start"].max() == STARTS[2023, 40]
    assert set(newest["year"]) == {2021, 2022, 2023}


def test_a_row_from_the_future_waits_for_a_later_release_day(
    lake: Settings, tmp_path: Path, header_and_rows
) -> None:
    header, lines = header_and_rows
    few = [moved(line, 2022, 9) for line in lines[:300]]
    few[7] = moved(lines[7], 2022, 10)
    few[41] = moved(lines[41], 2023, 2)
    path = write(tmp_path / "release.csv", header, few)
    day = STARTS[2022, 10] - timedelta(days=1)
    first = publish(lake, path, day)
    assert first == {"read": 300, "published": 298, "quarantined": 2}
    assert broken(lake) == {9: {EPIWEEK}, 43: {EPIWEEK, EPIYEAR}}
    about = contract.load(lake.root, NAME)
    refusals = {(r.line, r.rule): r for r in quarantine.refusals(lake, about)}
    assert refusals[43, EPIYEAR].column == "Ano"
    assert refusals[9, EPIWEEK].column == "Ano, Semana"
    assert refusals[9, EPIWEEK].value_class == "9999-99-99"
    assert "--as-of" in refusals[9, EPIWEEK].fix

    # A week that begins on the release's day is one that may be told of.
    assert publish(lake, path, day + timedelta(days=1))["quarantined"] == 1
    assert broken(lake) == {43: {EPIWEEK, EPIYEAR}}
    assert publish(lake, path, date(2023, 1, 18)) == {"read": 300, "published": 300,
                                                      "quarantined": 0}  # fmt: skip
    assert broken(lake) == {}
    versions = len(history.published_versions(lake.table("published", NAME)))
    assert publish(lake, path, day) == first, "what was known then is not judged anew"
    assert len(history.published_versions(lake.table("published", NAME))) == versions == 3


def test_the_same_file_of_the_same_day_gives_the_same_in_another_lake(
    lake: Settings, tmp_path: Path, header_and_rows
) -> None:
    few = [moved(line, 2022, 1 + n % 12) for n, line in enumerate(header_and_rows[1][:1200])]
    path = write(tmp_path / "release.csv", header_and_rows[0], few)
    day = STARTS[2022, 12] - timedelta(days=1)
    with pytest.raises(TerminalError, match=rf"100 of 1,200 rows break '{EPIWEEK}'") as error:
        publish(lake, path, day)
    assert "--as-of" in error.value.fix and "line 13" in error.value.where
    again = Settings(home=tmp_path / "again", engine=lake.engine)
    with pytest.raises(TerminalError, match=rf"100 of 1,200 rows break '{EPIWEEK}'"):
        publish(again, path, day)
    assert broken(again) == broken(lake)


def test_without_a_day_the_release_is_of_the_day_it_first_landed(
    lake: Settings, tmp_path: Path, header_and_rows
) -> None:
    header, lines = header_and_rows
    path = write(tmp_path / "release.csv", header, [*lines[:200], moved(lines[0], 2040, 1)])
    assert publish(lake, path, None)["quarantined"] == 1
    assert broken(lake) == {202: {EPIWEEK, EPIYEAR}}


@BOTH_ENGINES
def test_great_expectations_and_spark_count_the_same_of_each_type(
    lake: Settings, tmp_path: Path
) -> None:
    from yupana.data import engine
    from yupana.validation.audit import audit

    kinds = {"y": "integer", "d": "date", "t": "timestamp"}
    rules = tuple(Rule("not_after_release", c, (kind, None)) for c, kind in kinds.items())
    about = replace(contract.load(ROOT, NAME), rules=rules).at(date(2023, 5, 10))
    good = (2023, date(2023, 5, 10), datetime(2023, 5, 10, 23, 59, 59))
    frame = engine.session(lake).createDataFrame(
        [
            good,
            (2024, *good[1:]),
            (2022, date(2023, 5, 11), good[2]),
            (2022, date(2024, 1, 1), datetime(2023, 5, 11)),
            (None, None, datetime(2024, 5, 1)),
            (None, None, datetime(2026, 5, 1)),
        ],
        "y INT, d DATE, t TIMESTAMP",
    )
    by_gx = {r.rule: r.broken for r in audit(about, frame, tmp_path).rules}
    by_spark = {rule.name: frame.where(f"NOT {rule.good}").count() for rule in about.rules}
    counts = {"y": 1, "d": 2, "t": 3}
    assert by_gx == by_spark == {f"{c}.not_after_release": n for c, n in counts.items()}


@pytest.mark.parametrize(
    ("day", "year"),
    [("2024-12-28", 2024), ("2024-12-29", 2025), ("2027-01-01", 2027), ("2022-01-01", 2022)],
)
def test_a_year_may_be_the_calendars_or_that_of_the_epidemiological_week(
    day: str, year: int
) -> None:
    rule = Rule("not_after_release", "year", ("integer", None))
    assert rule.at(date.fromisoformat(day)).bounds == (None, year)
    assert rule.at(date(1999, 1, 9)).at(date.fromisoformat(day)).bounds == (None, year)
    with pytest.raises(ValueError, match="depends on the release"):
        _ = rule.good
