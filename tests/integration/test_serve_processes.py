"""`yupana serve` and what it starts: a taken port is said, nothing outlives its starter, and no
answer that a caller received is lost, whichever of its processes is killed, or all of them."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import pytest
import small_service
import sqlalchemy as sa
from callers import Callers, Reply, longest_silence
from serve_command import COMMAND, READY_SECONDS, Server, running, served, slowness
from waiting import wait_until

from yupana.config.settings import ROOT, Settings
from yupana.core import ports
from yupana.core.errors import UsageError
from yupana.core.progress import Silent
from yupana.database.engine import engine
from yupana.identity.local_key import local_key
from yupana.predictions.prediction_log import RECORDS
from yupana.trace import audit

BACK_SECONDS = 10.0
"""In which a service answers again, on a machine that has nothing else to do."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = Settings(home=tmp_path_factory.mktemp("serve"))
    small_service.run(settings)
    return settings


@pytest.fixture
def server(home: Settings) -> Iterator[Server]:
    with served(home) as server:
        yield server


def callers(server: Server) -> Callers:
    settings = server.settings
    return Callers(server.port, local_key(settings.platform_db, settings.home), pause=0.01)


def all_in_the_log_once(settings: Settings, replies: Sequence[Reply]) -> None:
    """Every answer that was received, by its own id and by that of its request."""
    received = {reply.request_id for reply in replies if reply.status == 200}
    query = sa.select(RECORDS.c.prediction_id, RECORDS.c.request_id)
    with engine(settings.platform_db).connect() as connection:
        rows = connection.execute(query).all()
    for ids in zip(*rows, strict=True):
        assert max(Counter(ids).values()) == 1
    assert len(received) > 20 and received <= {row.request_id for row in rows}
    assert {reply.status for reply in replies} <= {200, 503}
    assert not list((settings.home / "spool").glob("*.jsonl"))
    report = audit.verify(settings, Silent())
    assert report.ok, report


def kill_a_worker(server: Server) -> None:
    _kill(server.workers[:1])


def kill_all_workers(server: Server) -> None:
    _kill(server.workers)


def _kill(workers: Sequence[psutil.Process]) -> None:
    for worker in workers:
        worker.kill()
    wait_until(lambda: not any(map(running, workers)))


def kill_the_parent(server: Server) -> None:
    server.parent.kill()
    assert server.command.wait(timeout=60) == 3
    assert "The service ended" in server.log.read_text()
    server.start()


def kill_all(server: Server) -> None:
    server.stop()
    server.start()


def test_a_worker_that_is_killed_comes_again_and_loses_nothing(server: Server) -> None:
    with callers(server) as asking:
        wait_until(lambda: asking.replies)
        kill_all_workers(server)
        wait_until(server.whole, 4 * slowness())
        wait_until(server.ready, READY_SECONDS)
        again = time.monotonic()
        wait_until(lambda: asking.since(again))
        assert server.command.poll() is None
        second = subprocess.run(
            COMMAND, cwd=ROOT, env=server.settings.environment(), capture_output=True, text=True
        )
        assert second.returncode == 2
        assert f"The port {server.port} is taken by process" in second.stderr
        assert "YUPANA_SERVE_PORT" in second.stderr
        os.kill(server.command.pid, signal.SIGKILL)
        wait_until(server.gone, 20)
    all_in_the_log_once(server.settings, asking.replies)


def test_no_worker_outlives_a_killed_parent_and_the_command_says_so(server: Server) -> None:
    server.parent.kill()
    assert server.command.wait(timeout=60) == 3
    log = server.log.read_text()
    assert "its parent process was killed by SIGKILL" in log and '"event":"request"' not in log
    wait_until(server.gone, 20)


KILLS: list[tuple[Callable[[Server], None], int]] = [
    (kill_a_worker, 6), (kill_all_workers, 4), (kill_the_parent, 5), (kill_all, 5),
]  # fmt: skip


@pytest.mark.long
def test_twenty_kills_lose_and_double_no_answer_and_all_end_within_ten_seconds(
    server: Server,
) -> None:
    chance = random.Random(17)
    kills = [kill for kill, times in KILLS for _ in range(times)]
    chance.shuffle(kills)
    seconds: list[tuple[float, str]] = []
    with callers(server) as asking:
        for kill in kills:
            time.sleep(chance.uniform(0.5, 1.5))
            start = time.monotonic()
            kill(server)
            wait_until(server.ready, READY_SECONDS)
            wait_until(server.whole)
            again = time.monotonic()
            wait_until(lambda now=again: asking.since(now))  # type: ignore[misc]
            silence = longest_silence(asking.replies, start, time.monotonic())
            seconds.append((silence / slowness(), kill.__name__))
            print(f"{kill.__name__}: {silence:.1f} s silent, load {os.getloadavg()[0]:.1f}")
    all_in_the_log_once(server.settings, asking.replies)
    print(f"{len(asking.replies):,} answers received")
    assert len(seconds) == 20 and max(seconds)[0] < BACK_SECONDS, max(seconds)


def test_who_holds_a_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind((ports.HOST, 0))
        held.listen()
        port = held.getsockname()[1]
        with pytest.raises(UsageError, match=f"taken by process {os.getpid()} "):
            ports.demand_free(port, "YUPANA_SERVE_PORT")
    ports.demand_free(port, "YUPANA_SERVE_PORT")
    ports.demand_free(0, "YUPANA_SERVE_PORT")
