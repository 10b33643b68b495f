"""Files whose names tell their day: each day is a release, known on it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from many_lake import NAME, TODAY, beds, project, publications, put, run

from yupana.core.errors import UsageError
from yupana.core.progress import Silent
from yupana.data.contracts import locations
from yupana.data.lake import history
from yupana.orchestration.maintain import maintain


def test_dated_files_are_releases_of_their_days(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "in/cases_{date}.csv")
    put(lake, "in/cases_2024-03-08.csv", "a,2,Ana")
    put(lake, "in/cases_2024-03-01.csv", "a,1,Ana")
    put(lake, "in/cases_2024-13-01.csv", "a,9,Ana")
    put(lake, "in/cases_2024-04-01.csv", "a,7,Ana")
    run(lake)
    releases = [(str(p.known_on), p.source) for p in publications(lake)]
    assert releases == [("2024-03-01", "in/cases_2024-03-01.csv"),
                        ("2024-03-08", "in/cases_2024-03-08.csv")]  # fmt: skip
    assert beds(lake) == {"a": 2}
    assert run(lake).status == "unchanged"
    run(lake, today=date(2024, 4, 2))
    assert beds(lake) == {"a": 7} and len(publications(lake)) == 3
    table = lake.table("published", NAME)
    assert beds(lake, history.version_as_of(table, date(2024, 3, 7))) == {"a": 1}
    with pytest.raises(UsageError, match="--since"):
        run(lake, since=TODAY, as_of=TODAY)


def test_a_day_stays_as_it_was_known_when_the_contract_changes(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "in/cases_{date}.csv")
    put(lake, "in/cases_2024-03-01.csv", "a,1,Ana")
    put(lake, "in/cases_2024-03-08.csv", "a,2,Ana")
    run(lake)
    project(tmp_path, "snapshot", "in/cases_{date}.csv", quarantineLimit=0.5)
    result = run(lake)
    assert result.metrics["files"]["published"] == 1, "the newest alone is judged anew"
    assert result.metrics["files"]["refused"] == 0
    assert run(lake).status == "unchanged"


def test_a_folder_a_day_is_a_release_a_day(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "in/{date:yyyy}/{date:MM}/*_{date:yyyyMMdd}.csv")
    put(lake, "in/2024/03/north_20240301.csv", "a,1,Ana")
    put(lake, "in/2024/03/south_20240301.csv", "b,1,Ana")
    put(lake, "in/2024/03/north_20240302.csv", "a,2,Ana")
    put(lake, "in/2024/02/south_20240302.csv", "b,2,Ana")
    run(lake)
    assert [str(p.known_on) for p in publications(lake)] == ["2024-03-01", "2024-03-02"]
    assert beds(lake, 0) == {"a": 1, "b": 1} and beds(lake) == {"a": 2}


def test_a_day_may_be_the_name_of_a_folder(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "in/{date}/")
    put(lake, "in/2024-03-01/a.csv", "a,1,Ana")
    put(lake, "in/2024-03-01/b.csv", "b,1,Ana")
    put(lake, "in/2024-03-02/a.csv", "a,2,Ana")
    (lake.root / "in/2024-03-03").mkdir()
    run(lake)
    assert beds(lake, 0) == {"a": 1, "b": 1} and beds(lake) == {"a": 2}
    assert [str(p.known_on) for p in publications(lake)] == ["2024-03-01", "2024-03-02"]


def test_files_that_a_release_is_made_of_are_kept(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "in/")
    path = lake.root / "expectations" / NAME / "contract.yaml"
    retention = "slaProperties: [{property: retention, value: 1, unit: d}]"
    path.write_text(f"{path.read_text()}{retention}\n")
    put(lake, "in/a.csv", "a,1,Ana")
    put(lake, "in/b.csv", "b,1,Ana")
    run(lake)
    later = datetime.now(UTC) + timedelta(days=400)
    result = maintain(lake, "forget", Silent(), now=later)
    assert result.metrics["forget"]["raw"] == []


def test_as_of_takes_the_file_of_a_day(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "in/cases_{date}.csv")
    put(lake, "in/cases_2024-03-01.csv", "a,1,Ana")
    put(lake, "in/cases_2024-03-08.csv", "a,2,Ana")
    run(lake, as_of=date(2024, 3, 1))
    assert beds(lake) == {"a": 1}
    assert [str(p.known_on) for p in publications(lake)] == ["2024-03-01"]
    with pytest.raises(UsageError, match="not there"):
        run(lake, as_of=date(2024, 3, 2))


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("in/{date:dd}.csv", "tells no month"),
        ("in/{date:DD/MM/YYYY}.csv", "the date pattern"),
        ("in/{date:yyyy-MM}.csv", None),
        ("ckan+https://host/cases#{date}", "in no address"),
    ],
)
def test_the_form_of_a_date(location: str, says: str | None) -> None:
    fault = locations.fault(location)
    assert says in fault if says and fault else fault is says
