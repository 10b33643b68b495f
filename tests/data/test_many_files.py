"""A folder, a pattern, dated files and zips as one data set, each row traced to its file."""

from __future__ import annotations

import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from command import yupana
from conftest import BOTH_ENGINES
from many_lake import HEADER, NAME, project, put

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.core.hashing import file_sha256
from yupana.core.progress import Silent
from yupana.core.types import StepResult
from yupana.data import delta, history, recall, releases
from yupana.data import engine as engines
from yupana.data.sources import many
from yupana.orchestration.ingest import ingest
from yupana.orchestration.maintain import maintain
from yupana.orchestration.many import SomeRefusedError

TODAY = date(2024, 3, 31)


def run(lake: Settings, source: str | None = None, **given: date) -> StepResult:
    return ingest(lake, NAME, source, Silent(), **({"today": TODAY} | given))


def beds(lake: Settings, version: int | None = None) -> dict[str, int]:
    rows = delta.read(lake.table("published", NAME), version)
    return dict(zip(rows["hospital"].to_list(), rows["beds"].to_list(), strict=True))


def publications(lake: Settings) -> list[history.Publication]:
    return history.published_versions(lake.table("published", NAME))


@BOTH_ENGINES
def test_a_folder_is_one_release_and_each_row_knows_its_file(
    tmp_path: Path, engine: str
) -> None:
    lake = project(tmp_path, "snapshot", "in/", engine=engine)
    first = put(lake, "in/a.csv", "a,1,Ana b,2,Luz")
    second = put(lake, "in/b.csv", "c,3,Eva c,4,Eva d,,Eva")
    result = run(lake)
    assert result.metrics["rows"] == {"read": 5, "published": 2, "quarantined": 3}
    assert beds(lake) == {"a": 1, "b": 2}
    rows = delta.read(lake.table("published", NAME)).sort("hospital")
    assert rows["source_sha256"].unique().to_list() == [file_sha256(first)]
    assert rows["source_line"].to_list() == [2, 3]
    aside = delta.read(lake.table("quarantine", NAME)).sort("source_line")
    assert aside["source_sha256"].unique().to_list() == [file_sha256(second)]
    assert aside["source_line"].to_list() == [2, 3, 4]
    (one,) = publications(lake)
    assert set(one.sources) == {file_sha256(first), file_sha256(second)}
    assert one.source == "in (2 files)"
    assert run(lake).status == "unchanged"
    put(lake, "in/b.csv", "c,3,Eva")
    assert run(lake).status == "done" and beds(lake) == {"a": 1, "b": 2, "c": 3}
    aside = delta.read(lake.table("quarantine", NAME))
    assert len(publications(lake)) == 2 and len(aside) == 3


def test_the_key_holds_over_the_files_of_a_release(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "in/*.csv")
    put(lake, "in/a.csv", "a,1,Ana b,2,Luz")
    put(lake, "in/b.csv", "a,5,Ana")
    assert run(lake).metrics["rows"] == {"read": 3, "published": 1, "quarantined": 2}


def test_the_same_files_under_other_names_are_the_same_release(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "in/")
    path = put(lake, "in/a.csv", "a,1,Ana")
    put(lake, "in/b.csv", "b,2,Ana")
    put(lake, "in/copy.csv", "b,2,Ana")
    run(lake)
    assert beds(lake) == {"a": 1, "b": 2}, "a copy is taken once"
    path.rename(lake.root / "in/z.csv")
    assert run(lake).status == "unchanged" and len(publications(lake)) == 1


def test_a_file_of_several_is_traced_and_recalled(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "in/")
    path = put(lake, "in/a.csv", "a,1,Ana")
    put(lake, "in/b.csv", "b,2,Ana")
    run(lake)
    put(lake, "in/b.csv", "b,3,Ana")
    run(lake)
    first, second = (f"delta:published/{NAME}@{p.version}" for p in publications(lake))
    assert recall.recall(lake, str(path)).of("published") == [first, second]
    gone = next(s for s in publications(lake)[0].sources if s not in publications(lake)[1].sources)
    assert recall.recall(lake, f"raw:{gone}").of("published") == [first]
    told = yupana(lake, "trace", f"{NAME}@{publications(lake)[1].version}")
    assert told.code == 0, told.stderr
    for sha256 in publications(lake)[1].sources:
        assert f"source file SHA-256: {sha256}" in told.stdout
    assert "in/a.csv" in told.stdout and "in/b.csv" in told.stdout


def test_one_bad_file_stops_a_release_and_is_named(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "in/")
    put(lake, "in/a.csv", "a,1,Ana")
    run(lake)
    put(lake, "in/b.csv", "b,2,Ana", header="hospital,camas,reporter\n")
    with pytest.raises(TerminalError, match="'beds' is not in the file") as error:
        run(lake)
    assert "in/b.csv, line 1" in error.value.where
    put(lake, "in/c.csv", "a,1", header="hospital,camas\n")
    with pytest.raises(TerminalError, match="2 of 3 files are refused") as error:
        run(lake)
    assert "in/b.csv, line 1" in error.value.where and "in/c.csv, line 1" in error.value.where
    put(lake, "in/d.csv", "", header="")
    with pytest.raises(TerminalError, match="empty") as error:
        run(lake)
    assert "in/d.csv" in error.value.where
    assert beds(lake) == {"a": 1} and len(publications(lake)) == 1


def test_an_audit_that_fails_names_the_file_of_the_first_line(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "in/", quarantineLimit=0)
    put(lake, "in/a.csv", "a,1,Ana b,2,Ana c,3,Ana")
    put(lake, "in/b.csv", "d,1,Ana e,,Ana")
    with pytest.raises(TerminalError, match=r"1 of 5 rows break 'beds\.required'") as error:
        run(lake)
    assert "in/b.csv, first in line 3, column beds" in error.value.where


def test_appended_files_are_publications_and_a_bad_one_does_not_stop_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = project(tmp_path, "append", "in/cases_*.csv")
    put(lake, "in/cases_1.csv", "a,1,Ana")
    put(lake, "in/cases_2.csv", "b,2,Ana", header="hospital,camas,reporter\n")
    put(lake, "in/cases_3.csv", "c,3,Ana")
    put(lake, "in/other.csv", "x,9,Ana")
    with pytest.raises(SomeRefusedError, match="1 of 3 files") as error:
        run(lake)
    assert "in/cases_2.csv: The column 'beds'" in error.value.where
    assert error.value.result.metrics["files"]["published"] == 2
    assert beds(lake) == {"a": 1, "c": 3}
    assert [p.source for p in publications(lake)] == ["in/cases_1.csv", "in/cases_3.csv"]
    put(lake, "in/cases_2.csv", "b,2,Ana")
    put(lake, "in/cases_4.csv", "d,4,Ana")
    result = run(lake)
    assert result.metrics["files"] == {
        "published": 2, "already_published": 2, "refused": 0, "retracted": 0, "absent_days": 0
    }  # fmt: skip
    assert beds(lake) == {"a": 1, "b": 2, "c": 3, "d": 4}
    monkeypatch.delattr(engines, "session")
    assert run(lake).status == "unchanged" and len(publications(lake)) == 4


def test_the_command_tells_the_rest_and_ends_with_1(tmp_path: Path) -> None:
    lake = project(tmp_path, "append", "in/")
    put(lake, "in/a.csv", "a,1,Ana")
    put(lake, "in/b.csv", "b,x,Ana", header="")
    said = yupana(lake, "ingest", NAME, "--json")
    assert said.code == 1 and "in/b.csv" in said.stderr
    assert '"published": 1' in said.stdout and '"refused": 1' in said.stdout


def test_a_file_that_comes_again_with_other_rows_is_not_added(tmp_path: Path) -> None:
    lake = project(tmp_path, "append", "in/")
    put(lake, "in/a.csv", "a,1,Ana")
    put(lake, "in/b.csv", "b,1,Ana")
    run(lake)
    put(lake, "in/a.csv", "a,1,Ana c,2,Ana")
    with pytest.raises(SomeRefusedError, match="1 of 2"):
        run(lake)
    assert beds(lake) == {"a": 1, "b": 1}


def test_merged_files_follow_each_other_once(tmp_path: Path) -> None:
    lake = project(tmp_path, "merge", "in/")
    put(lake, "in/1.csv", "a,1,Ana b,1,Ana")
    put(lake, "in/2.csv", "a,2,Ana")
    run(lake)
    assert beds(lake) == {"a": 2, "b": 1}
    assert run(lake).status == "unchanged"
    put(lake, "in/3.csv", "b,3,Ana")
    run(lake)
    assert beds(lake) == {"a": 2, "b": 3} and len(publications(lake)) == 3


def test_dated_files_are_releases_of_their_days(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "in/cases_{date}.csv")
    put(lake, "in/cases_2024-03-08.csv", "a,2,Ana")
    put(lake, "in/cases_2024-03-01.csv", "a,1,Ana")
    put(lake, "in/cases_2024-13-01.csv", "a,9,Ana")
    put(lake, "in/cases_2024-04-01.csv", "a,7,Ana")
    run(lake)
    known = [(str(p.known_on), p.source) for p in publications(lake)]
    assert known == [("2024-03-01", "in/cases_2024-03-01.csv"),
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
    done = maintain(lake, "forget", Silent(), now=later)
    assert done.metrics["forget"]["raw"] == []


def test_as_of_takes_the_file_of_a_day(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "in/cases_{date}.csv")
    put(lake, "in/cases_2024-03-01.csv", "a,1,Ana")
    put(lake, "in/cases_2024-03-08.csv", "a,2,Ana")
    run(lake, as_of=date(2024, 3, 1))
    assert beds(lake) == {"a": 1}
    assert [str(p.known_on) for p in publications(lake)] == ["2024-03-01"]
    with pytest.raises(UsageError, match="not there"):
        run(lake, as_of=date(2024, 3, 2))


@pytest.mark.parametrize("publication", ["snapshot", "append", "merge"])
def test_the_files_of_a_zip(tmp_path: Path, publication: str) -> None:
    lake = project(tmp_path, publication, "in.zip", member="*.csv")
    texts = {"x/b.csv": "b,2,Ana", "a.csv": "a,1,Ana", "readme.txt": "no", "x/c.csv": "c,3,Ana"}
    lake.root.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(lake.root / "in.zip", "w") as packed:
        for name, row in texts.items():
            packed.writestr(name, f"{HEADER}{row}\n")
    run(lake)
    assert beds(lake) == {"a": 1, "b": 2, "c": 3}
    assert run(lake).status == "unchanged"
    assert len(publications(lake)) == (1 if publication == "snapshot" else 3)
    assert len(delta.read(lake.table("published", NAME))["source_sha256"].unique()) == 3
    touched = recall.recall(lake, str(lake.root / "in.zip")).of("published")
    assert touched == [f"delta:published/{NAME}@{p.version}" for p in publications(lake)]


def test_a_name_in_a_zip_is_no_name_here(tmp_path: Path) -> None:
    lake = project(tmp_path, "append", "in.zip", member="*")
    lake.root.mkdir(parents=True, exist_ok=True)
    names = ("x/..", f"{'b' * 300}.csv", "/etc/c.csv", "c.csv")
    with zipfile.ZipFile(lake.root / "in.zip", "w") as packed:
        for number, name in enumerate(names):
            packed.writestr(name, f"{HEADER}{number},1,Ana\n")
    run(lake)
    assert set(beds(lake)) == {"0", "1", "2", "3"}
    assert [p.source for p in publications(lake)] == [f"in.zip#{n}" for n in sorted(names)]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_in_a_zip_are_refused(tmp_path: Path) -> None:
    lake = project(tmp_path, "append", "in.zip", member="*.csv")
    lake.root.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(lake.root / "in.zip", "w") as packed:
        for name, row in (("a.csv", "a,1,Ana"), ("b.csv", "b,1,Ana"), ("a.csv", "c,1,Ana")):
            packed.writestr(name, f"{HEADER}{row}\n")
    with pytest.raises(TerminalError, match="two files of one name") as refused:
        run(lake)
    assert "in.zip, member a.csv" in refused.value.where
    assert not delta.exists(lake.table("published", NAME))


def test_files_here_and_elsewhere_are_one_release(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "in.csv")
    put(lake, "in/a.csv", "a,1,Ana")
    (tmp_path / "other" / "in").mkdir(parents=True)
    (tmp_path / "other" / "in" / "b.csv").write_text(f"{HEADER}b,2,Ana\n")
    run(lake, str(tmp_path / "*" / "in" / "*.csv"))
    assert beds(lake) == {"a": 1, "b": 2}
    assert publications(lake)[0].source.endswith(" and others (2 files)")


@pytest.mark.parametrize("publication", ["snapshot", "append"])
def test_a_file_that_was_retracted_is_passed_over(tmp_path: Path, publication: str) -> None:
    lake = project(tmp_path, publication, "in/cases_{date}.csv")
    put(lake, "in/cases_2024-03-01.csv", "a,1,Ana")
    put(lake, "in/cases_2024-03-02.csv", "b,2,Ana")
    run(lake)
    newest = history.at_version(lake.table("published", NAME)).version
    releases.retract(lake, NAME, newest, "the wrong day", Silent())
    assert beds(lake) == {"a": 1}
    again = run(lake)
    assert again.status == "unchanged" and again.metrics["files"]["retracted"] == 1
    put(lake, "in/cases_2024-03-03.csv", "c,3,Ana")
    run(lake)
    assert beds(lake) == ({"c": 3} if publication == "snapshot" else {"a": 1, "c": 3})


def test_nothing_is_there(tmp_path: Path) -> None:
    for path in ("in/", "in/*.csv", "in/{date}.csv"):
        lake = project(tmp_path, "snapshot", path)
        (lake.root / "in").mkdir(exist_ok=True)
        with pytest.raises(UsageError, match="No file is there"):
            run(lake)


def test_names_with_brackets_are_no_patterns(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "in/cases [*].csv")
    put(lake, "in/cases [1].csv", "a,1,Ana")
    put(lake, "in/cases 1.csv", "b,1,Ana")
    run(lake)
    assert beds(lake) == {"a": 1}


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
    found = many.fault(location)
    assert says in found if says and found else found is says


def test_a_contract_leads_nowhere_outside(tmp_path: Path) -> None:
    home = tmp_path / "project"
    (tmp_path / "p.csv").write_text(f"{HEADER}a,1,Ana\n")
    (tmp_path / "p.csv#").mkdir()
    for path in (
        "../../etc/passwd", "/etc/passwd", "~/x.csv", "file:///etc/passwd", "../p.csv",
        f"file://{home}/%2e%2e/p.csv", f"FILE://localhost{home}/%2E./p.csv",
        f" file://{tmp_path}/p.csv", f"fi\tle://{tmp_path}/p.csv",
        f"file://{home}/../p.csv#/../project/x.csv", f"file://{home}/../p.csv?/../project/x.csv",
    ):  # fmt: skip
        lake = project(tmp_path, "snapshot", path)
        with pytest.raises(TerminalError, match="lies outside of the project") as error:
            run(lake)
        assert "contract.yaml, line" in error.value.where
    outside = tmp_path / "mine.csv"
    outside.write_text(f"{HEADER}a,1,Ana\n")
    run(project(tmp_path, "snapshot", "in/../x.csv"), str(outside))
