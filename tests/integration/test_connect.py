"""`yupana up` as a user has it: one engine for all tasks, Airflow beside it, and nothing left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest
from waiting import wait_until

from yupana.config.settings import Settings
from yupana.core import ports
from yupana.core.errors import TransientError, UsageError
from yupana.core.progress import Silent
from yupana.data import engine
from yupana.data.lake import delta
from yupana.orchestration import airflow_home, processes, standalone
from yupana.orchestration.ingest import ingest

START_SECONDS = 240
DATASET = "iquitos_weekly"
Answer = TypeVar("Answer")


def yupana(settings: Settings, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "yupana.cli.main", *args]
    return subprocess.run(command, capture_output=True, text=True, env=settings.environment())


@dataclass
class Up:
    settings: Settings
    leader: subprocess.Popen[bytes]
    words: Path

    def ask(self, path: str, body: dict[str, Any] | None = None, method: str = "") -> Any:
        """Airflow's API, as the page itself uses it."""
        base = airflow_home.url(self.settings)
        password = json.loads(airflow_home.password_file(self.settings).read_text())["admin"]
        login = {"username": "admin", "password": password}
        token = _json(f"{base}/auth/token", login)["access_token"]
        return _json(f"{base}/api/v2/{path}", body, method, {"Authorization": f"Bearer {token}"})


def _json(
    url: str, body: dict[str, Any] | None, method: str = "", headers: dict[str, str] | None = None
) -> Any:
    data = json.dumps(body).encode() if body is not None else None
    all_headers = {"Content-Type": "application/json", **(headers or {})}
    request = urllib.request.Request(url, data, all_headers, method=method or None)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def up(tmp_path_factory) -> Iterator[Up]:
    home = tmp_path_factory.mktemp("up")
    settings = Settings(home=home / "var", engine_port=ports.free(), airflow_port=ports.free())
    words = home / "said.txt"
    with words.open("w") as stream:
        leader = subprocess.Popen(
            [sys.executable, "-m", "yupana.cli.main", "up"],
            env=settings.environment(),
            stderr=stream,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
    try:
        wait_until(
            lambda: "ready:" in words.read_text() or leader.poll() is not None, START_SECONDS
        )
        assert leader.poll() is None, words.read_text()
        yield Up(settings, leader, words)
    finally:
        standalone.down(settings)
        leader.wait(30)


@pytest.fixture(scope="module")
def shared(up: Up) -> Settings:
    """Settings of a task: its engine is the shared server."""
    address = f"sc://localhost:{up.settings.engine_port}"
    return up.settings.model_copy(update={"engine": address})


def members(settings: Settings) -> list[psutil.Process]:
    running = processes.load(settings)
    assert running
    return running.members()


def of_those_alive(
    processes: list[psutil.Process], read: Callable[[psutil.Process], Answer]
) -> list[Answer]:
    """What `read` tells of each process; a part's short-lived child may end in between."""
    answers = []
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            answers.append(read(process))
    return answers


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    states = of_those_alive(processes, lambda p: (p, p.status()))
    return [p for p, state in states if p.is_running() and state != psutil.STATUS_ZOMBIE]


def test_it_says_where_everything_is_and_never_the_password(up: Up) -> None:
    words = up.words.read_text()
    password_file = airflow_home.password_file(up.settings)
    assert (
        airflow_home.url(up.settings) in words
        and str(password_file) in words
        and "yupana down" in words
    )
    assert password_file.stat().st_mode & 0o077 == 0
    password = json.loads(password_file.read_text())["admin"]
    logs = [p for p in up.settings.home.rglob("*.log") if p.is_file()]
    assert logs and not [p for p in (*logs, up.words) if password in p.read_text(errors="replace")]


def test_it_listens_on_this_machine_alone(up: Up) -> None:
    addresses = {
        c.laddr.ip
        for connections in of_those_alive(members(up.settings), lambda p: p.net_connections("inet"))
        for c in connections
        if c.status == psutil.CONN_LISTEN
    }
    assert addresses <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"} and addresses


def test_a_second_one_is_refused(up: Up) -> None:
    result = yupana(up.settings, "up")
    assert (
        result.returncode == 2
        and "runs already" in result.stderr
        and "yupana down" in result.stderr
    )


def test_a_taken_port_is_named(up: Up, tmp_path: Path) -> None:
    other = up.settings.model_copy(update={"home": tmp_path, "engine_port": ports.free()})
    result = yupana(other, "up")
    assert result.returncode == 2
    assert f"port {up.settings.airflow_port} is taken" in result.stderr
    assert "YUPANA_AIRFLOW_PORT" in result.stderr and not (tmp_path / "up.json").exists()


def test_the_shared_engine_publishes_the_same_rows(shared: Settings, tmp_path: Path) -> None:
    own = Settings(home=tmp_path)
    task = yupana(shared, "ingest", DATASET, "--json")
    assert task.returncode == 0, task.stderr
    ingest(own, DATASET, None, Silent())
    here, there = (delta.read(s.table("published", DATASET)) for s in (own, shared))
    assert here.height == 468 and here.sort("source_line").equals(there.sort("source_line"))


def test_a_dag_run_tells_version_and_validation(up: Up) -> None:
    """Started as from the page: the event is what waits for this data set learns."""
    name = f"ingest_{DATASET}"
    wait_until(lambda: name in str(up.ask("dags?limit=100")), 60, pause=0.5)
    run = up.ask(f"dags/{name}/dagRuns", {"logical_date": None})["dag_run_id"]
    path = f"dags/{name}/dagRuns/{run}"
    wait_until(lambda: up.ask(path)["state"] in ("success", "failed"), 180, pause=0.5)
    assert up.ask(path)["state"] == "success"
    event = up.ask("assets/events")["asset_events"][-1]
    extra = event["extra"]
    assert extra["ref"] == f"delta:published/{DATASET}@{extra['version']}"
    assert extra["validation"].startswith("validation:") and extra["rows"]["published"] == 468
    passed = up.ask(f"{path}/taskInstances/ingest/xcomEntries/return_value")["value"]
    assert extra["ref"] in str(passed) and len(json.dumps(passed)) < 1000


def test_no_server_is_told_at_once() -> None:
    start = time.monotonic()
    with pytest.raises(TransientError, match="does not answer"):
        engine.session(Settings(engine=f"sc://127.0.0.1:{ports.free()}"))
    assert time.monotonic() - start < 10
    with pytest.raises(UsageError, match="not the address"):
        engine.session(Settings(engine="sc://"))
    with pytest.raises(UsageError, match="no engine '127"):
        engine.session(Settings(engine="127.0.0.1:15002"))


def test_a_token_in_an_address_is_not_shown() -> None:
    settings = Settings(engine="sc://spark.example:15002/;token=SECRET")
    names = [engine.name(settings), str(engine.select(settings))]
    assert names == ["sc://spark.example:15002"] * 2


# The last one: it stops what the tests above use.
def test_down_ends_all_even_after_a_kill(up: Up) -> None:
    started = members(up.settings)
    names = of_those_alive(started, lambda p: p.name())
    assert "python" in {name.split()[0].rstrip("3") for name in names}
    os.kill(up.leader.pid, signal.SIGKILL)
    up.leader.wait()
    result = yupana(up.settings, "down")
    assert result.returncode == 0 and "without stopping its parts" in result.stdout
    assert not alive(started)
    again = yupana(up.settings, "down")
    assert again.returncode == 0 and "nothing runs here" in again.stdout


def test_a_number_that_is_another_process_now_is_left_alone(tmp_path: Path) -> None:
    """The file outlived a restart of the machine: this test has the number of the leader."""
    settings = Settings(home=tmp_path)
    old = processes.Member(os.getpid(), 0.0)
    processes.save(settings, processes.ProcessGroup(old, "nobody", {"engine": old}))
    assert "ended 0 processes" in standalone.down(settings)
    assert standalone.down(settings) == "nothing runs here"


def test_what_is_started_is_ended_by_session_and_by_mark(tmp_path: Path) -> None:
    """Orphans of a part that is gone: one hides its mark, one left the session."""
    settings = Settings(home=tmp_path)
    ours = processes.ProcessGroup(processes.Member(1, 0.0), "mark-of-this-test")
    script = "env -i sleep 300 & setsid sleep 301 & sleep 1"
    child = ours.start(settings, "part", ["bash", "-c", script], dict(os.environ), tmp_path / "log")
    child.wait(10)
    orphans = ours.members()
    assert sorted(p.cmdline()[-1] for p in orphans) == ["300", "301"]
    standalone.down(settings)
    assert not alive(orphans)
    assert processes.load(settings) is None
