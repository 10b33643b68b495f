"""Lineage on its way: a server that is away stops no step, and nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lineage_server import LineageServer, running
from typer.testing import CliRunner

from tests import event_rows
from yupana.cli.main import app
from yupana.config.settings import ROOT, Settings
from yupana.config.settings import settings as chosen
from yupana.core.errors import TransientError, UsageError
from yupana.core.progress import Silent
from yupana.lineage import events, openlineage_queue
from yupana.trace.openlineage import sending, targets

SEND = [sys.executable, "-m", "yupana.cli.main", "lineage", "send"]


@pytest.fixture
def server() -> Iterator[LineageServer]:
    with running() as receiver:
        yield receiver


@pytest.fixture
def settings(tmp_path: Path, server: LineageServer, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home that tells the server; the bell is silent, so that the test alone sends."""
    monkeypatch.setattr(openlineage_queue, "ring", lambda settings: None)
    return Settings(home=tmp_path / "home", openlineage_url=server.url)


def log(settings: Settings, many: int, start: int = 0) -> list[tuple[str, str]]:
    """Some steps; returns what must arrive of them."""
    ids = [
        events.append(settings, "s", "x", status="done", outputs=(f"a:{n}",), seconds=1.0)
        for n in range(start, start + many)
    ]
    dashed = [f"{i[:8]}-{i[8:12]}-{i[12:16]}-{i[16:20]}-{i[20:]}" for i in ids]
    return [(run, state) for run in dashed for state in ("START", "COMPLETE")]


def test_each_event_once_and_in_order_over_an_outage(
    settings: Settings, server: LineageServer
) -> None:
    first = log(settings, 4)
    sending.send(settings, Silent())
    assert server.states() == first
    server.answer = lambda event: 503
    second = log(settings, 4, 4)
    with pytest.raises(TransientError, match="503"):
        sending.send(settings, Silent())
    assert openlineage_queue.away(settings).exists() and server.states() == first
    server.answer = lambda event: 201
    third = log(settings, 4, 8)
    (cursor,) = sending.send(settings, Silent())
    assert server.states() == first + second + third
    assert cursor.lines == 12 and not openlineage_queue.away(settings).exists()
    sending.send(settings, Silent())
    assert len(server.events) == 24, "nothing twice"


def test_a_server_that_is_not_there_at_all(settings: Settings) -> None:
    nobody = settings.model_copy(update={"openlineage_url": "http://127.0.0.1:9"})
    log(nobody, 2)
    with pytest.raises(TransientError, match="Lineage was not taken"):
        sending.send(nobody, Silent())


def test_a_killed_sender_loses_nothing_and_repeats_the_same_runs(
    settings: Settings, server: LineageServer
) -> None:
    expected = log(settings, 6)
    child = subprocess.Popen(
        SEND, env={**settings.environment(), "PYTHONUNBUFFERED": "1"}, cwd=ROOT,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def answer(event: dict[str, Any]) -> int:
        if len(server.events) == 5:
            server.answer = lambda event: 201
            os.kill(child.pid, signal.SIGKILL)
        return 201

    server.answer = answer
    assert child.wait(60) == -signal.SIGKILL
    sending.send(settings, Silent())
    assert list(dict.fromkeys(server.states())) == expected, "all, and in order"
    assert len(server.events) <= len(expected) + 2, "one line at the most is sent again"


def test_what_the_server_will_never_take_holds_nothing_back(
    settings: Settings, server: LineageServer
) -> None:
    expected = log(settings, 3)
    bad = expected[2][0]
    server.answer = lambda event: 422 if event["run"]["runId"] == bad else 201
    (cursor,) = sending.send(settings, Silent())
    assert server.states() == [one for one in expected if one[0] != bad]
    assert cursor.refused == 1 and cursor.refused_ids == [bad.replace("-", "")]


def test_a_wrong_key_waits_and_a_right_one_is_sent(
    settings: Settings, server: LineageServer, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text("s3cret\n")
    keyed = settings.model_copy(update={"openlineage_key": key})
    expected = log(keyed, 1)
    server.answer = lambda event: 401
    with pytest.raises(TransientError, match="401"):
        sending.send(keyed, Silent())
    server.answer = lambda event: 201
    sending.send(keyed, Silent())
    assert server.states() == expected and server.keys == {"Bearer s3cret"}


def test_another_log_is_told_from_its_start(settings: Settings, server: LineageServer) -> None:
    log(settings, 3)
    sending.send(settings, Silent())
    event_rows.clear(settings)
    expected = log(settings, 5)
    sending.send(settings, Silent())
    assert server.states()[6:] == expected


def test_a_cursor_from_when_the_log_was_a_file_goes_on_where_it_was(
    settings: Settings, server: LineageServer
) -> None:
    log(settings, 3)
    (cursor,) = sending.send(settings, Silent())
    path = sending._path(settings, cursor.to)
    old = {"to": cursor.to, "offset": 900, "line": cursor.line, "lines": 3}
    path.write_text(json.dumps(old))
    expected = log(settings, 2, 3)
    sending.send(settings, Silent())
    assert server.states()[6:] == expected, "nothing twice"
    path.write_text(json.dumps({**old, "line": "0" * 64}))
    sending.send(settings, Silent())
    assert len(server.states()) == 10 + 10, "another log is told from its start"


def test_a_file_gets_the_same_and_a_torn_line_is_mended(
    settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "lineage.jsonl"
    both = settings.model_copy(update={"openlineage_file": path})
    expected = log(both, 2)
    sending.send(both, Silent())
    with path.open("a") as stream:
        stream.write('{"eventTime": "20')
    expected += log(both, 1, 2)
    sending.send(both, Silent())
    documents = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(one["run"]["runId"], one["eventType"]) for one in documents] == expected


def test_a_step_does_not_wait_for_a_server_that_hangs(
    tmp_path: Path, server: LineageServer
) -> None:
    """The real bell: the sender is a process of its own, and all arrive once the server wakes."""
    awake = threading.Event()

    def answer(event: dict[str, Any]) -> int:
        awake.wait(60)
        return 201

    server.answer = answer
    quiet = Settings(home=tmp_path / "quiet")
    settings = Settings(home=tmp_path / "home", openlineage_url=server.url)
    seconds = {}
    for name, one in (("without", quiet), ("with", settings)):
        start = time.monotonic()
        expected = log(one, 10)
        seconds[name] = time.monotonic() - start
    # Starting the sender costs a busy machine some seconds; ten steps that waited would take 100.
    assert seconds["with"] < seconds["without"] + 20, f"{seconds}: ten steps waited"
    awake.set()
    until = time.monotonic() + 60
    while len(server.events) < len(expected) and time.monotonic() < until:
        time.sleep(0.05)
    assert server.states() == expected
    assert (openlineage_queue.folder(settings) / "send.log").read_bytes().count(b"Traceback") == 0


def test_after_a_failure_steps_do_not_start_a_sender_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Any] = []
    monkeypatch.setattr(openlineage_queue.subprocess, "Popen", lambda *a, **k: started.append(a))
    settings = Settings(home=tmp_path / "home", openlineage_url="http://127.0.0.1:9")
    log(settings, 1)
    with pytest.raises(TransientError):
        sending.send(settings, Silent())
    log(settings, 3, 1)
    assert len(started) == 1, "the server was away a moment ago"
    os.utime(openlineage_queue.away(settings), (1, 1))
    log(settings, 1, 4)
    assert len(started) == 2


def test_a_machine_without_room_for_a_process_still_does_the_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(*args: Any, **more: Any) -> None:
        raise OSError("no process left")

    monkeypatch.setattr(openlineage_queue.subprocess, "Popen", none_left)
    settings = Settings(home=tmp_path / "home", openlineage_url="http://127.0.0.1:9")
    log(settings, 2)
    assert sum(1 for _ in events.read(settings.events)) == 2


@pytest.fixture
def command(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:
    monkeypatch.setenv("YUPANA_HOME", str(settings.home))
    monkeypatch.setattr(os, "nice", lambda by: 0)
    chosen.cache_clear()
    yield CliRunner()
    chosen.cache_clear()


def test_the_whole_log_goes_to_a_file_or_a_server(
    command: CliRunner, settings: Settings, server: LineageServer, tmp_path: Path
) -> None:
    expected = log(settings, 3)
    out = tmp_path / "out.jsonl"
    for _ in range(2):
        result = command.invoke(app, ["lineage", "export", str(out), "--json"])
        assert json.loads(result.stdout)["events"] == 3, "it takes the place of the file"
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(e["run"]["runId"], e["eventType"]) for e in lines] == expected
    command.invoke(app, ["lineage", "export", "--url", server.url], catch_exceptions=False)
    assert server.states() == expected


def test_wrong_use_says_the_fix(
    command: CliRunner, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in (["export"], ["export", "x.jsonl", "--url", "http://x"], ["send"], ["status"]):
        failed = command.invoke(app, ["lineage", *words])
        assert isinstance(failed.exception, UsageError), words
    with pytest.raises(UsageError, match="no address"):
        targets.of_url("marquez:5000")
    assert targets.of_url("http://me:secret@marquez:5000").label == "http://marquez:5000"
    monkeypatch.setenv("YUPANA_OPENLINEAGE_URL", settings.openlineage_url)
    chosen.cache_clear()
    log(settings, 2)
    output = command.invoke(app, ["lineage", "send"]).stdout
    assert "2 events told, 0 refused" in output
    assert "0 events of the log wait" in command.invoke(app, ["lineage", "status"]).stdout
