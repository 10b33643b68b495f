"""The event log: whole events from many processes, found without reading the rest."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import sqlite3
import threading
from pathlib import Path

import pytest
from command import yupana as command

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.database.engine import engine
from yupana.lineage import events

PROCESSES, EACH = 4, 25
# Longer than a page of the database.
LONG = "ñ" * 20_000


def _write(home: Path, who: int) -> None:
    for number in range(EACH):
        events.append(
            Settings(home=home),
            "step",
            str(who),
            status="done",
            outputs=(f"x:{number}",),
            facts={"long": LONG},
        )


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def test_four_processes_mix_no_events(home: Settings) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(home.home, who)) for who in range(PROCESSES)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    log = list(events.read(home.events))
    assert len({e["id"] for e in log}) == PROCESSES * EACH
    assert all(e["facts"]["long"] == LONG for e in log)
    for who in range(PROCESSES):
        mine = [e["outputs"][0] for e in log if e["subject"] == str(who)]
        assert mine == [f"x:{n}" for n in range(EACH)], "a process's own order is kept"
    numbers = [number for number, _ in events.numbered(home.events)]
    assert numbers == [*range(1, PROCESSES * EACH + 1)], "without gaps"


def test_a_writer_waits_for_the_one_before(home: Settings) -> None:
    engine(home.events)
    with sqlite3.connect(home.home / "platform.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        writer = threading.Thread(
            target=events.append, args=(home, "a", "x"), kwargs={"status": "done"}
        )
        writer.start()
        writer.join(0.3)
        assert writer.is_alive() and not list(events.read(home.events))
        other.execute("COMMIT")
    writer.join(10)
    assert len(list(events.read(home.events))) == 1


def test_looking_at_a_home_without_a_database_makes_none(home: Settings) -> None:
    assert list(events.read(home.events)) == list(events.numbered(home.events)) == []
    assert events.last_done(home.events, "fit", "x") is None
    assert events.last_number(home.events) == 0
    assert not list(home.home.iterdir())
    (home.home / "platform.db").touch()
    assert events.maker(home.events, "m:1") is None, "an empty file"


def test_last_done_is_the_newest_success_that_matches(tmp_path: Path) -> None:
    home = Settings(home=tmp_path / "deep")
    for key, status in (("k1", "done"), ("k2", "done"), ("k1", "failed")):
        events.append(home, "train", "outbreak", status=status, key=key)
    newest = events.last_done(home.events, "train", "outbreak")
    assert newest is not None and newest["key"] == "k2"
    first = events.last_done(home.events, "train", "outbreak", lambda e: e["key"] == "k1")
    assert first is not None and first["status"] == "done"
    assert events.last_done(home.events, "train", "other") is None


def test_an_event_is_json_with_every_field(home: Settings) -> None:
    event_id = events.append(home, "land", "x", status="done", facts={"path": home.home})
    ((number, body),) = events.numbered(home.events)
    event = json.loads(body)
    assert (number, event["id"]) == (1, event_id)
    assert event["facts"] == {"path": str(home.home)}
    assert set(event) == {
        "id",
        "time",
        "step",
        "subject",
        "status",
        "inputs",
        "outputs",
        "key",
        "seconds",
        "facts",
    }


def test_what_was_added_is_found_at_once(home: Settings) -> None:
    url = home.events
    for n in range(3):
        events.append(home, "fit", "x", status="done", outputs=(f"m:{n}", "same:1", "same:1"))
        events.append(home, "fit", "x", status="failed", outputs=("m:none",))
        assert events.producer(url, "same:1")["outputs"][0] == f"m:{n}"
        newest = [e["outputs"][0] for e in events.done(url, "fit", "x")]
        assert newest == [f"m:{k}" for k in range(n, -1, -1)], "newest first"
    with pytest.raises(UsageError, match="m:none"):
        events.producer(url, "m:none")
    event = events.producer(url, "m:0")
    event["facts"]["changed"] = True
    assert events.producer(url, "m:0")["facts"] == {}, "nobody changes another's event"


def test_the_newest_run_of_each_step_on_each_subject(home: Settings) -> None:
    for step, subject, status in (
        ("land", "a", "done"), ("ingest", "a", "done"), ("land", "b", "done"),
        ("ingest", "a", "failed"), ("land", "a", "done"),
    ):  # fmt: skip
        events.append(home, step, subject, status=status)
    every = [(n, e["step"], e["subject"]) for n, e in events.newest(home.events)]
    assert every == [(3, "land", "b"), (4, "ingest", "a"), (5, "land", "a")]
    done = [(n, e["step"]) for n, e in events.newest(home.events, "ingest", done=True)]
    assert done == [(2, "ingest")]


def test_a_look_up_uses_an_index_and_reads_no_other_event(home: Settings) -> None:
    """The promise that a log of a hundred thousand events is as quick as one of ten."""
    events.append(home, "fit", "x", status="done", outputs=("m:1",))
    with sqlite3.connect(home.home / "platform.db") as connection:
        for query, parameters in (
            (events._MAKER, {"ref": "m:1"}),
            (events._DONE, {"step": "fit", "subject": "x"}),
        ):
            plan = connection.execute(f"EXPLAIN QUERY PLAN {query}", parameters).fetchall()
            assert plan and not [row for row in plan if row[3].startswith("SCAN")], plan


def test_the_log_is_written_as_a_file_by_day(home: Settings, tmp_path: Path) -> None:
    for n in range(3):
        events.append(home, "fit", "ñ", status="done", outputs=(f"m:{n}",))
    out = tmp_path / "out.jsonl"
    facts = json.loads(command(home, "events", "export", str(out), "--json").stdout)
    assert [json.loads(line) for line in out.read_text("utf-8").splitlines()] == [
        *events.read(home.events)
    ]
    assert facts == {"to": str(out), "events": 3, "sha256": events.sha256(home.events)}
    assert hashlib.sha256(out.read_bytes()).hexdigest() == facts["sha256"]
    later = command(home, "events", "export", str(out), "--since", "2999-01-01")
    assert "0 events" in later.stdout and not out.read_bytes()
    refused = command(home, "events", "export", str(tmp_path / "none" / "out.jsonl"))
    assert refused.code == 2 and "may write to" in refused.stderr
