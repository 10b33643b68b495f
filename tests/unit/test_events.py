"""The event log: whole lines from many processes, and a torn line that is named."""

from __future__ import annotations

import fcntl
import json
import multiprocessing
import threading
from pathlib import Path

import pytest

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.governance import events

PROCESSES, EACH = 4, 25
# Longer than a stream's buffer and than what a pipe or NFS writes at once.
LONG = "ñ" * 20_000


def _write(path: Path, who: int) -> None:
    for number in range(EACH):
        events.append(
            Settings(home=path.parent),
            "step",
            str(who),
            status="done",
            outputs=(f"x:{number}",),
            facts={"long": LONG},
        )


def test_four_processes_mix_no_lines(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(path, who)) for who in range(PROCESSES)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    found = list(events.read(path))
    assert len({e["id"] for e in found}) == PROCESSES * EACH
    assert all(e["facts"]["long"] == LONG for e in found)
    for who in range(PROCESSES):
        mine = [e["outputs"][0] for e in found if e["subject"] == str(who)]
        assert mine == [f"x:{n}" for n in range(EACH)], "a process's own order is kept"


def test_writer_waits_for_the_lock(tmp_path: Path) -> None:
    # One local write is whole by luck of the kernel; on a network file system the lock decides.
    path = tmp_path / "events.jsonl"
    with path.open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        writer = threading.Thread(
            target=events.append,
            args=(Settings(home=path.parent), "a", "x"),
            kwargs={"status": "done"},
        )
        writer.start()
        writer.join(0.3)
        assert writer.is_alive() and path.stat().st_size == 0
    writer.join(10)
    assert len(list(events.read(path))) == 1


def test_torn_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    events.append(Settings(home=path.parent), "a", "x", status="done")
    events.append(Settings(home=path.parent), "b", "x", status="done")
    path.write_bytes(path.read_bytes()[:-20])
    reader = events.read(path)
    assert next(reader)["step"] == "a"
    with pytest.raises(TerminalError) as caught:
        next(reader)
    assert caught.value.where == f"{path}, line 2"
    assert "delete that line" in caught.value.fix


def test_no_log_has_no_events(tmp_path: Path) -> None:
    assert list(events.read(tmp_path / "none.jsonl")) == []


def test_last_done_is_the_newest_success_that_matches(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "events.jsonl"
    for key, status in (("k1", "done"), ("k2", "done"), ("k1", "failed")):
        events.append(Settings(home=path.parent), "train", "outbreak", status=status, key=key)
    newest = events.last_done(path, "train", "outbreak")
    assert newest is not None and newest["key"] == "k2"
    first = events.last_done(path, "train", "outbreak", lambda e: e["key"] == "k1")
    assert first is not None and first["status"] == "done"
    assert events.last_done(path, "train", "other") is None


def test_line_is_json_with_every_field(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    made = events.append(
        Settings(home=path.parent), "land", "x", status="done", facts={"path": tmp_path}
    )
    line = json.loads(path.read_text())
    assert line["id"] == made
    assert line["facts"] == {"path": str(tmp_path)}
    assert set(line) == {
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
