"""Refused rows: what became of their file, and how they come back once they are mended."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from command import Notices, yupana
from conftest import BOTH_ENGINES
from many_lake import NAME, beds, project, put

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.core.hashing import file_sha256
from yupana.core.progress import Silent
from yupana.core.types import StepResult
from yupana.data.contracts import contract
from yupana.data.lake import delta, history
from yupana.data.publication import publish, quarantine, releases
from yupana.lineage import contents, events
from yupana.orchestration import correct
from yupana.orchestration.ingest import ingest
from yupana.trace import recall
from yupana.validation import quality

FIRST = "a,1,Ana b,x,Luz c,,Eva d,4,Ana"


def run(lake: Settings, name: str, rows: str, **options: Any) -> StepResult:
    return ingest(lake, NAME, str(put(lake, name, rows)), Silent(), **options)


def aside(lake: Settings) -> list[tuple[str, int, list[str]]]:
    rows = delta.read(lake.table("quarantine", NAME)).sort("source_sha256", "source_line")
    return [(r["source_sha256"], r["source_line"], r["broken_rules"]) for r in rows.to_dicts()]


def exported(lake: Settings) -> list[list[str]]:
    path = lake.root / "rows.csv"
    path.unlink(missing_ok=True)
    correct.export(lake, NAME, path)
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.reader(stream))


def fix(lake: Settings, rows: list[list[str]], name: str = "fixed.csv") -> StepResult:
    path = lake.root / name
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)
    return correct.correct(lake, NAME, path, Silent())


def states(lake: Settings) -> dict[tuple[str, int], str]:
    refusals = quarantine.refusals(lake, contract.load(lake.root, NAME))
    return {(r.source, r.line): r.state for r in refusals}


@BOTH_ENGINES
def test_mended_rows_come_back_in_one_commit(tmp_path: Path, engine: str) -> None:
    come_back(project(tmp_path, "snapshot", "a.csv", engine=engine))


@pytest.mark.parametrize("publication", ["snapshot", "append", "merge"])
def test_what_stayed_comes_back_by_another_file(tmp_path: Path, publication: str) -> None:
    lake = project(tmp_path, publication, "a.csv")
    head, *rows = come_back(lake)
    sha256 = rows[1][0]
    # The same again, and the same original again, change nothing.
    before = history.published_versions(lake.table("published", NAME))
    assert fix(lake, [head, *rows]).status == "unchanged"
    assert run(lake, "a.csv", FIRST).status == "unchanged"
    assert history.published_versions(lake.table("published", NAME)) == before
    assert fix(lake, [head, [sha256, "4", "c", "3", "Eva"]], "more.csv").status == "done"
    assert beds(lake) == {"a": 1, "b": 2, "c": 3, "d": 4} and aside(lake) == []
    assert fix(lake, [head, *rows]).status == "unchanged", "an old correction is over"
    with pytest.raises(TerminalError, match="is not in quarantine"):
        fix(lake, [head, [sha256, "4", "c", "9", "Eva"]], "late.csv")


def test_rows_of_a_file_of_another_shape_come_back_as_plain_text(tmp_path: Path) -> None:
    """Several lines of names, a total, a mark of two bytes: none of it is in a correction."""
    lake = project(tmp_path, "snapshot", "a.csv", headerRow=[1, 2], skip="^Total", delimiter=";")
    path = lake.root / "expectations" / NAME / "contract.yaml"
    content = yaml.safe_load(path.read_text())
    properties = content["schema"][0]["properties"]
    for column, name in zip(properties, ("a b", "c d", "e f"), strict=True):
        column["physicalName"] = name
    path.write_text(yaml.safe_dump(content))
    (lake.root / "a.csv").write_text("a;c;e\nb;d;f\nx;1;Ana\ny;many;Luz\nTotal;1;\n")
    ingest(lake, NAME, str(lake.root / "a.csv"), Silent())
    head, row = exported(lake)
    assert head[2:] == ["a b", "c d", "e f"] and row[1:] == ["4", "y", "many", "Luz"]
    row[3] = "2"
    assert fix(lake, [head, row]).metrics["rows"]["published"] == 1
    assert beds(lake) == {"x": 1, "y": 2}


def test_a_release_is_retracted_after_its_corrections(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "a.csv")
    run(lake, "z.csv", "z,9,Ana")
    run(lake, "a.csv", FIRST)
    head, row, _ = exported(lake)
    row[3] = "2"
    fix(lake, [head, row])
    with pytest.raises(UsageError, match="Later versions hold rows of version 1: 2"):
        releases.retract(lake, NAME, 1, "wrong", Silent())
    releases.retract(lake, NAME, 2, "wrong", Silent())
    assert beds(lake) == {"a": 1, "d": 4}
    releases.retract(lake, NAME, 1, "wrong", Silent())
    assert beds(lake) == {"z": 9}


def come_back(lake: Settings) -> list[list[str]]:
    """One row is mended and one is not; the correction."""
    run(lake, "a.csv", FIRST)
    head, *rows = exported(lake)
    assert head == ["source_sha256", "line", "hospital", "beds", "reporter"]
    sha256 = file_sha256(lake.root / "a.csv")
    assert rows == [[sha256, "3", "b", "x", "Luz"], [sha256, "4", "c", "", "Eva"]]
    assert (lake.root / "rows.csv").stat().st_mode & 0o777 == 0o600
    rows[0][0] = sha256[:8].upper()
    rows[0][3] = "2"
    rows[1][3] = "many"
    result = fix(lake, [head, *rows])
    assert result.metrics["rows"] == {"read": 2, "published": 1, "quarantined": 1}
    assert beds(lake) == {"a": 1, "b": 2, "d": 4}
    ((of, line, rules),) = aside(lake)
    assert (of, line, rules) == (sha256, 4, ["row.parsed", "beds.required"])
    table = delta.read(lake.table("published", NAME)).filter(hospital="b")
    mended = file_sha256(lake.root / "fixed.csv")
    assert table["source_sha256"].to_list() == [mended] and table["source_line"].to_list() == [2]
    facts = delta.commit_facts(lake.table("published", NAME))
    assert facts["corrects"] == {sha256: [[3, 2], [4, 3]]} and facts["mends"] == sha256
    event = events.last_done(lake.events, "ingest", NAME)
    assert event and event["facts"]["corrects"] == facts["corrects"]
    names = delta.read(lake.table("published", NAME))["reporter"]
    assert all(len(name) == 32 for name in names)
    return [head, *rows]


def test_a_correction_is_traced_and_counted(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "in/")
    put(lake, "in/a.csv", FIRST)
    put(lake, "in/b.csv", "e,5,Ana f,y,Ana")
    ingest(lake, NAME, None, Silent())
    head, *rows = exported(lake)
    assert len(rows) == 3
    (b,) = [r for r in rows if r[2] == "f"]
    fix(lake, [head, [*b[:3], "6", b[4]]])
    version = history.at_version(lake.table("published", NAME)).version
    for name in ("in/a.csv", "in/b.csv", "fixed.csv"):
        assert f"delta:published/{NAME}@{version}" in recall.recall(
            lake, str(lake.root / name)
        ).of("published")  # fmt: skip
    trace = yupana(lake, "trace", f"{NAME}@{version}")
    assert trace.code == 0 and "fixed.csv" in trace.stdout and "in/b.csv" in trace.stdout
    measures = quality.measure(lake, NAME, date.today())
    usable = next(i for i in measures.indicators if i.id == "usability")
    assert (usable.numerator, usable.denominator) == (4, 6)
    assert states(lake) == {("in/a.csv", 3): "current", ("in/a.csv", 4): "current"}
    assert ingest(lake, NAME, None, Silent()).status == "unchanged"


def test_what_became_of_a_refused_rows_file(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "a.csv", quarantineLimit=0.5)
    run(lake, "a.csv", "a,1,Ana b,x,Luz")
    with pytest.raises(TerminalError, match="audit failed"):
        run(lake, "bad.csv", "a,x,Ana b,y,Luz c,3,Luz")
    assert states(lake) == {
        ("a.csv", 3): "current", ("bad.csv", 2): "refused", ("bad.csv", 3): "refused"
    }  # fmt: skip
    run(lake, "b.csv", "a,1,Ana c,x,Luz")
    assert states(lake)["a.csv", 3] == "superseded" and states(lake)["b.csv", 3] == "current"
    report = json.loads(yupana(lake, "quarantine", NAME, "--json").stdout)
    assert {line["state"] for line in report["lines"]} == {"current", "refused"}
    report = json.loads(yupana(lake, "quarantine", NAME, "--all", "--json").stdout)
    assert {line["state"] for line in report["lines"]} == {"current", "refused", "superseded"}
    assert "refused whole" in yupana(lake, "quarantine", NAME).stdout
    # The first file is published again: its rows are current again.
    run(lake, "a.csv", "a,1,Ana b,x,Luz")
    assert states(lake)["a.csv", 3] == "current" and states(lake)["b.csv", 3] == "superseded"


@pytest.mark.parametrize(("publication", "state"), [("append", "current"), ("merge", "current")])
def test_files_that_add_up_are_all_current(tmp_path: Path, publication: str, state: str) -> None:
    lake = project(tmp_path, publication, "a.csv")
    run(lake, "a.csv", "a,1,Ana b,x,Luz")
    run(lake, "b.csv", "c,1,Ana d,x,Luz")
    assert set(states(lake).values()) == {state} and len(states(lake)) == 2


def test_a_merged_source_that_came_again_replaced_itself(tmp_path: Path) -> None:
    lake = project(tmp_path, "merge", "a.csv")
    run(lake, "a.csv", "a,1,Ana b,x,Luz")
    run(lake, "a.csv", "a,1,Ana b,2,Luz c,y,Luz")
    refusals = quarantine.refusals(lake, contract.load(lake.root, NAME))
    assert {(r.line, r.state) for r in refusals} == {(3, "superseded"), (4, "current")}


def test_what_cannot_be_taken_changes_nothing(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "a.csv", quarantineLimit=0.5)
    run(lake, "a.csv", "a,1,Ana b,x,Luz")
    with pytest.raises(TerminalError, match="audit failed"):
        run(lake, "bad.csv", "a,x,Ana b,y,Luz c,3,Luz")
    assert [*contents.faults(lake)] == [], "rows that were set aside are vouched for all the same"
    head, (sha256, *_) = exported(lake)
    whole = file_sha256(lake.root / "bad.csv")
    versions = [delta.version_of(lake.table(z, NAME)) for z in ("published", "quarantine")]
    for rows, says in (
        ([[sha256, "2", "a", "1", "Ana"]], "is not in quarantine"),
        ([[sha256, "99", "b", "1", "Luz"]], "is not in quarantine"),
        ([["f" * 64, "3", "b", "1", "Luz"]], "names no file and line"),
        ([[sha256[:3], "3", "b", "1", "Luz"]], "names no file and line"),
        ([[sha256, "three", "b", "1", "Luz"]], "names no file and line"),
        ([[sha256, "3", "b", "1", "Luz"], [sha256, "3", "b", "2", "Luz"]], "the same row"),
        ([[whole, "2", "a", "1", "Ana"]], "refused whole: mend the file"),
        ([[sha256, "3", "b"]], "another width"),
    ):
        with pytest.raises(TerminalError, match=says) as error:
            fix(lake, [head, *rows])
        assert "fixed.csv, line" in error.value.where
    with pytest.raises(TerminalError, match="'source_sha256' is not in the file") as error:
        fix(lake, [[sha256, "3", "b", "1", "Luz"]])
    assert "--export FILE" in error.value.fix
    assert beds(lake) == {"a": 1}
    now = [delta.version_of(lake.table(z, NAME)) for z in ("published", "quarantine")]
    assert now == versions


def test_a_key_that_is_published_is_not_taken_twice(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "a.csv")
    run(lake, "a.csv", "a,1,Ana b,x,Luz")
    head, row = exported(lake)
    result = fix(lake, [head, [row[0], row[1], "a", "2", "Luz"]])
    assert result.metrics["rows"] == {"read": 1, "published": 0, "quarantined": 1}
    assert beds(lake) == {"a": 1} and aside(lake) == [(row[0], 3, ["key.unique"])]


def test_a_crash_between_the_two_commits_is_made_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = project(tmp_path, "snapshot", "a.csv")
    run(lake, "a.csv", FIRST)
    head, first, second = exported(lake)
    first[3], second[3] = "2", "3"

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(publish, "mend_quarantine", die)
        with pytest.raises(KeyboardInterrupt):
            fix(lake, [head, first, second])
    assert len(aside(lake)) == 2 and len(beds(lake)) == 4, "in both, never in neither"
    assert fix(lake, [head, first, second]).status == "done"
    assert aside(lake) == [] and beds(lake) == {"a": 1, "b": 2, "c": 3, "d": 4}
    measures = quality.measure(lake, NAME, date.today())
    usable = next(i for i in measures.indicators if i.id == "usability")
    assert (usable.numerator, usable.denominator) == (4, 4)


def test_a_changed_contract_asks_for_the_file_first(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "a.csv")
    run(lake, "a.csv", FIRST)
    head, first, _ = exported(lake)
    first[3] = "2"
    project(tmp_path, "snapshot", "a.csv", quarantineLimit=0.8)
    with pytest.raises(TerminalError, match="contract has changed"):
        fix(lake, [head, first])
    run(lake, "a.csv", FIRST)
    assert fix(lake, [head, first]).status == "done"
    assert beds(lake) == {"a": 1, "b": 2, "d": 4}


def test_a_file_judged_anew_says_which_corrections_to_take_again(tmp_path: Path) -> None:
    lake = project(tmp_path, "snapshot", "a.csv")
    run(lake, "a.csv", FIRST)
    head, first, _ = exported(lake)
    first[3] = "2"
    fix(lake, [head, first])
    project(tmp_path, "snapshot", "a.csv", quarantineLimit=0.8)
    progress = Notices()
    ingest(lake, NAME, str(lake.root / "a.csv"), progress)
    (line,) = [line for line in progress.lines if "--fix" in line]
    path = Path(line.rpartition(" --fix ")[2])
    assert correct.correct(lake, NAME, path, Silent()).status == "done"
    assert beds(lake) == {"a": 1, "b": 2, "d": 4}
