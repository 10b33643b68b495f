"""A folder, a pattern, dated files and zips as one data set, each row traced to its file."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest
from command import Notices, yupana
from conftest import BOTH_ENGINES
from many_lake import HEADER, NAME, TODAY, beds, project, publications, put, run

from yupana.core.errors import TerminalError, UsageError
from yupana.core.hashing import file_sha256
from yupana.core.progress import Silent
from yupana.data import engine as engines
from yupana.data.lake import delta, history
from yupana.data.publication import releases
from yupana.data.publication.withdrawn import WithdrawnError
from yupana.orchestration.ingest import ingest
from yupana.orchestration.many import SomeRefusedError
from yupana.trace import recall


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
    before, now = (p.sources for p in publications(lake))
    former = next(s for s in before if s not in now)
    assert recall.recall(lake, f"raw:{former}").of("published") == [first]
    trace = yupana(lake, "trace", f"{NAME}@{publications(lake)[1].version}")
    assert trace.code == 0, trace.stderr
    for sha256 in publications(lake)[1].sources:
        assert f"source file SHA-256: {sha256}" in trace.stdout
    assert "in/a.csv" in trace.stdout and "in/b.csv" in trace.stdout


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
    result = yupana(lake, "ingest", NAME, "--json")
    assert result.code == 1 and "in/b.csv" in result.stderr
    assert '"published": 1' in result.stdout and '"refused": 1' in result.stdout


def test_a_file_that_comes_again_with_other_rows_is_not_added(tmp_path: Path) -> None:
    lake = project(tmp_path, "append", "in/")
    put(lake, "in/a.csv", "a,1,Ana")
    put(lake, "in/b.csv", "b,1,Ana")
    run(lake)
    put(lake, "in/a.csv", "a,1,Ana c,2,Ana")
    with pytest.raises(SomeRefusedError, match="1 of 2"):
        run(lake)
    assert beds(lake) == {"a": 1, "b": 1}


@pytest.mark.parametrize("key", [True, False])
def test_bytes_that_came_under_two_names_are_revised_under_neither(
    tmp_path: Path, key: bool
) -> None:
    lake = project(tmp_path, "append", "in/", key=key)
    for name in ("in/cases (1).csv", "in/cases.csv"):
        put(lake, name, "a,1,Ana")
    run(lake)
    (lake.root / "in/cases.csv").write_bytes(f"{HEADER}a,1,Ana\n".replace("\n", "\r\n").encode())
    with pytest.raises(SomeRefusedError, match="1 of 2") as error:
        run(lake)
    assert error.value.result.metrics["refusals"] == [
        {"source": "in/cases.csv",
         "what": "The file was published before with other bytes, and files add up."}
    ]  # fmt: skip
    assert len(delta.read(lake.table("published", NAME))) == 1


@pytest.mark.parametrize("publication", ["snapshot", "append", "merge"])
def test_a_file_and_what_it_is_packed_as_count_once(
    tmp_path: Path, publication: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lake = project(tmp_path, publication, "in/", key=publication == "merge")
    content = put(lake, "in/c.csv", "a,1,Ana").read_bytes()
    (lake.root / "in/c.csv.gz").write_bytes(gzip.compress(content))
    with zipfile.ZipFile(lake.root / "in/c.csv.zip", "w") as packed:
        packed.writestr("c.csv", content)
    notices = Notices()
    ingest(lake, NAME, None, notices, today=TODAY)
    assert len(delta.read(lake.table("published", NAME))) == len(publications(lake)) == 1
    again = "is in/c.csv again: it is taken once"
    if publication != "snapshot":
        again = "holds what in/c.csv holds: its rows count once"
    assert [f"in/c.csv.{kind} {again}" in notices.lines for kind in ("gz", "zip")] == [True] * 2
    assert run(lake).status == "unchanged"
    releases.retract(lake, NAME, 0, "wrong", Silent())
    if publication != "snapshot":
        with pytest.raises(WithdrawnError):
            run(lake, "in/c.csv.gz")


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
