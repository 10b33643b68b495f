"""Releases out of order, taken back, restored: what answers for each day, what is current."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from command import yupana
from conftest import BOTH_ENGINES, BOTH_ENGINES_LATER
from deltalake import CommitProperties, write_deltalake
from many_lake import NAME, beds
from test_publication import project, publish

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.core.progress import Silent
from yupana.data.lake import delta, history
from yupana.data.publication import releases
from yupana.ledger import entries
from yupana.lineage import events

JANUARY, FEBRUARY, MARCH, MAY = (date(2024, m, 28) for m in (1, 2, 3, 5))
OLD, MIDDLE, NEW = {"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 3}, {"a": 1, "b": 4, "c": 4}


def table(lake: Settings) -> Path:
    return lake.table("published", NAME)


def beds_on(lake: Settings, day: date) -> dict[str, int]:
    return beds(lake, history.version_as_of(table(lake), day))


def three(tmp_path: Path, engine: str) -> Settings:
    """A snapshot table whose second release comes last."""
    lake = project(tmp_path, engine, "snapshot")
    publish(lake, "a,1,Ana b,2,Luz", JANUARY)
    publish(lake, "a,1,Ana b,4,Luz c,4,Luz", MARCH)
    publish(lake, "a,1,Ana b,3,Luz c,3,Luz", FEBRUARY)
    return lake


@BOTH_ENGINES_LATER
def test_a_release_that_comes_late_finds_its_place(tmp_path: Path, engine: str) -> None:
    lake = three(tmp_path, engine)
    assert [beds_on(lake, d) for d in (JANUARY, FEBRUARY, MARCH, MAY)] == [OLD, MIDDLE, NEW, NEW]
    assert beds(lake) == NEW, "what every reader of the newest version takes"
    current = history.at_version(table(lake))
    assert (current.version, current.commits) == (1, (1, 3)), "the fourth commit is no publication"
    assert history.at_version(table(lake), 3) == current
    settled = events.last_done(lake.events, "settle", NAME)
    assert settled and settled["inputs"] == [f"delta:published/{NAME}@1"]
    versions = delta.version_of(table(lake))
    assert publish(lake, "a,1,Ana b,3,Luz c,3,Luz", FEBRUARY).status == "unchanged"
    assert publish(lake, "a,1,Ana b,4,Luz c,4,Luz", MARCH).status == "unchanged"
    assert delta.version_of(table(lake)) == versions
    later = publish(lake, "a,1,Ana b,5,Luz c,4,Luz", MAY)
    assert later.metrics["change"]["before"] == 1 and beds(lake)["b"] == 5


@BOTH_ENGINES_LATER
@pytest.mark.parametrize("publication", ["append", "merge", "replace-period"])
def test_a_table_of_several_files_takes_no_older_one(
    tmp_path: Path, engine: str, publication: str
) -> None:
    lake = project(tmp_path, engine, publication)
    publish(lake, "a,1,Ana", FEBRUARY)
    with pytest.raises(UsageError, match="cannot come before one known on 2024-02-28"):
        publish(lake, "b,1,Ana", JANUARY)
    assert beds(lake) == {"a": 1}


@BOTH_ENGINES_LATER
def test_what_a_crash_left_out_is_made_up_for(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object, **__: object) -> None:
        raise SystemExit(137)

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        lake = project(tmp_path, engine, "snapshot")
        publish(lake, "a,1,Ana b,2,Luz", JANUARY)
        publish(lake, "a,1,Ana b,4,Luz c,4,Luz", MARCH)
        patch.setattr(releases, "_put_back", dies)
        publish(lake, "a,1,Ana b,3,Luz c,3,Luz", FEBRUARY)
    assert delta.version_of(table(lake)) == 2, "killed between the two commits"
    assert history.at_version(table(lake)).version == 1, "yupana knows which one is current"
    assert publish(lake, "a,1,Ana b,3,Luz c,3,Luz", FEBRUARY).status == "unchanged"
    assert beds(lake) == NEW and delta.version_of(table(lake)) == 3
    assert events.last_done(lake.events, "settle", NAME)


@BOTH_ENGINES_LATER
@pytest.mark.parametrize("step", ["retract", "restore"])
def test_the_event_of_a_killed_command_is_made_up_for(
    tmp_path: Path, engine: str, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = three(tmp_path, engine)

    def run() -> object:
        if step == "retract":
            return releases.retract(lake, NAME, 1, "wrong", Silent())
        return releases.restore(lake, NAME, 0, "right", Silent(), MAY)

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(events, "append", lambda *_, **__: (_ for _ in ()).throw(SystemExit(137)))
        run()
    assert events.last_done(lake.events, step, NAME) is None
    versions = delta.version_of(table(lake))
    run()
    event = events.last_done(lake.events, step, NAME)
    assert event and event["outputs"] == [f"delta:published/{NAME}@{versions}"]
    assert delta.version_of(table(lake)) == versions


@pytest.mark.parametrize("engine", ["sail"], indirect=True)
def test_kill_9_between_the_two_commits_of_a_late_release(tmp_path: Path, engine: str) -> None:
    lake = project(tmp_path, engine, "snapshot")
    publish(lake, "a,1,Ana b,2,Luz", JANUARY)
    publish(lake, "a,1,Ana b,4,Luz c,4,Luz", MARCH)
    path = lake.root / "late.csv"
    path.write_text("hospital,beds,reporter\na,1,Ana\nb,3,Luz\nc,3,Luz\n")
    words = ["ingest", NAME, "--source", str(path), "--as-of", str(FEBRUARY)]
    killed = f"""
import os, signal, sys
from yupana.cli import main
from yupana.data.publication import releases
releases._put_back = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
sys.argv = {["yupana", *words]!r}
main.main()
"""
    environment = {**lake.environment(), "YUPANA_ROOT": str(lake.root)}
    process = subprocess.run([sys.executable, "-c", killed], env=environment, capture_output=True)
    assert process.returncode == -signal.SIGKILL, process.stderr.decode()
    assert delta.version_of(table(lake)) == 2 and beds(lake) == MIDDLE
    assert yupana(lake, *words).code == 0
    assert beds(lake) == NEW and beds_on(lake, FEBRUARY) == MIDDLE
    assert delta.version_of(table(lake)) == 3


@BOTH_ENGINES_LATER
def test_a_retracted_version_answers_for_no_day(tmp_path: Path, engine: str) -> None:
    lake = three(tmp_path, engine)
    result = releases.retract(lake, NAME, 1, "wrong hospital", Silent())
    assert [beds_on(lake, d) for d in (JANUARY, FEBRUARY, MARCH)] == [OLD, MIDDLE, MIDDLE]
    assert beds_on(lake, MAY) == MIDDLE
    assert beds(lake) == MIDDLE and beds(lake, 1) == NEW, "its rows stay in the log"
    assert result.inputs == (f"delta:published/{NAME}@2",)
    assert history.at_version(table(lake), 1).retracted == "wrong hospital"
    (entry,) = [e for e in entries.read(lake.platform_db) if e.kind == "release"]
    assert entry.facts == {"what": "retract", "ref": result.outputs[0], "reason": "wrong hospital"}
    again = releases.retract(lake, NAME, 1, "wrong hospital", Silent())
    assert (again.status, again.outputs) == ("unchanged", result.outputs)
    with pytest.raises(TerminalError, match="as version 1 and retracted: wrong hospital"):
        publish(lake, "a,1,Ana b,4,Luz c,4,Luz", MARCH)
    assert publish(lake, "a,1,Ana b,4,Luz c,4,Luz", MARCH, accept="was right").status == "done"
    assert beds(lake) == NEW and beds_on(lake, MARCH) == NEW


@BOTH_ENGINES_LATER
def test_an_older_version_is_retracted_and_the_current_one_stays(
    tmp_path: Path, engine: str
) -> None:
    lake = three(tmp_path, engine)
    releases.retract(lake, NAME, 2, "no release of the agency", Silent())
    assert [beds_on(lake, d) for d in (JANUARY, FEBRUARY, MARCH)] == [OLD, OLD, NEW]
    assert beds(lake) == NEW and history.at_version(table(lake)).version == 1


@BOTH_ENGINES_LATER
def test_the_only_version_leaves_an_empty_table(tmp_path: Path, engine: str) -> None:
    lake = project(tmp_path, engine, "snapshot")
    publish(lake, "a,9,Ana", JANUARY)
    releases.retract(lake, NAME, 0, "a trial", Silent())
    assert beds(lake) == {}
    with pytest.raises(TerminalError, match="version 0 was retracted \\(a trial\\)"):
        history.at_version(table(lake))
    assert '"known": null' in yupana(lake, "history", NAME, "--json").stdout
    publish(lake, "a,1,Ana b,2,Luz", FEBRUARY)
    assert beds(lake) == OLD and beds_on(lake, MAY) == OLD


@BOTH_ENGINES
def test_restored_rows_are_a_publication_of_today(tmp_path: Path, engine: str) -> None:
    lake = three(tmp_path, engine)
    releases.retract(lake, NAME, 1, "wrong", Silent())
    with pytest.raises(UsageError, match="Version 1 was retracted: wrong"):
        releases.restore(lake, NAME, 1, "", Silent(), MAY)
    result = releases.restore(lake, NAME, 1, "it was right", Silent(), MAY)
    assert [beds_on(lake, d) for d in (FEBRUARY, MARCH, MAY)] == [MIDDLE, MIDDLE, NEW]
    assert beds(lake) == NEW and result.inputs == (f"delta:published/{NAME}@1",)
    assert releases.restore(lake, NAME, 1, "again", Silent(), MAY).status == "unchanged"
    versions = delta.version_of(table(lake))
    publish(lake, "a,1,Ana b,4,Luz c,4,Luz")
    assert delta.version_of(table(lake)) == versions, "it is what is published now"


@BOTH_ENGINES_LATER
def test_files_of_a_restored_append_table_come_again(tmp_path: Path, engine: str) -> None:
    lake = project(tmp_path, engine, "append")
    for rows in ("a,1,Ana", "b,2,Luz", "c,3,Luz"):
        publish(lake, rows, JANUARY)
    with pytest.raises(UsageError, match="Later versions hold rows of version 1: 2"):
        releases.retract(lake, NAME, 1, "wrong", Silent())
    releases.retract(lake, NAME, 2, "wrong", Silent())
    assert beds(lake) == OLD
    releases.restore(lake, NAME, 0, "", Silent(), FEBRUARY)
    assert beds(lake) == {"a": 1}
    versions = delta.version_of(table(lake))
    publish(lake, "a,1,Ana", JANUARY)
    assert delta.version_of(table(lake)) == versions
    with pytest.raises(TerminalError, match="version 0 was restored in its place"):
        publish(lake, "b,2,Luz", FEBRUARY)
    publish(lake, "b,2,Luz", FEBRUARY, accept="it was right")
    assert beds(lake) == OLD, "its rows were gone"


@BOTH_ENGINES_LATER
def test_a_retraction_names_what_rests_on_it(tmp_path: Path, engine: str) -> None:
    lake = three(tmp_path, engine)
    # What a later step reads is the newest commit, here the one that put version 1 back.
    events.append(lake, "features", "x", status="done",
                  inputs=(f"delta:published/{NAME}@3",), outputs=("delta:features/x@0",))
    events.append(lake, "register", "x", status="done",
                  inputs=("delta:features/x@0",), outputs=("model:x@1",))  # fmt: skip
    result = yupana(lake, "retract", f"{NAME}@1", "--reason", "wrong hospital", "--json")
    rests = json.loads(result.stdout.splitlines()[-1])["rests_on_it"]
    assert (rests["features"], rests["models"]) == (["delta:features/x@0"], ["model:x@1"])
    other = yupana(lake, "trace", f"{NAME}@2", "--forward", "--json")
    assert json.loads(other.stdout)["models"] == [], "what stands instead is no part of it"
    listing = yupana(lake, "history", NAME).stdout
    assert "retracted: wrong hospital" in listing and "current: delta:published/beds@2" in listing
    assert yupana(lake, "retract", NAME, "--reason", "x").code == 2


def test_a_table_with_partitions_and_lists_is_put_back(tmp_path: Path) -> None:
    lake = project(tmp_path, "sail", "snapshot")
    rows = pl.DataFrame({"p": ["x", "y"], "l": [["q"], []], "n": [1, 2]}).to_arrow()
    table(lake).parent.mkdir(parents=True)
    for version, day in enumerate((JANUARY, FEBRUARY)):
        facts = {"source_sha256": str(version), "known_on": str(day)}
        custom = CommitProperties(custom_metadata={"userMetadata": delta.commit_metadata(**facts)})
        write_deltalake(table(lake), rows.slice(version), mode="overwrite", partition_by=["p"],
                        commit_properties=custom)
    releases.retract(lake, NAME, 0, "older", Silent())
    assert delta.read(table(lake))["n"].to_list() == [2]
    releases.retract(lake, NAME, 1, "newer", Silent())
    assert len(delta.read(table(lake))) == 0
