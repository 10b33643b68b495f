"""`yupana serve` and what it starts: a taken port is said, and nothing outlives its starter."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
import small_service
from small_service import NAME
from waiting import wait_until

from yupana.config.settings import ROOT, Settings
from yupana.core import ports
from yupana.core.errors import UsageError

COMMAND = [sys.executable, "-m", "yupana.cli.main", "serve", NAME]


class Server:
    """The command, started, with what it started in its turn."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.port = settings, ports.free()
        self.log = settings.home / "serve.log"
        with self.log.open("w") as out:
            self.command = subprocess.Popen(
                COMMAND, cwd=ROOT, env=self.environment(), stdout=out, stderr=out,
            )  # fmt: skip
        wait_until(self.ready, 120)
        (self.parent,) = psutil.Process(self.command.pid).children()
        self.workers = self.parent.children(recursive=True)
        assert self.workers

    def environment(self) -> dict[str, str]:
        return self.settings.environment() | {"YUPANA_SERVE_PORT": str(self.port)}

    def ready(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def gone(self) -> bool:
        """Whether nothing of it runs, and nobody answers."""
        living = [p for p in (self.parent, *self.workers) if p.is_running()]
        running = [p for p in living if p.status() != psutil.STATUS_ZOMBIE]
        return not running and not ports.answers(self.port)

    def stop(self) -> None:
        self.command.kill()
        for process in (self.parent, *self.workers):
            if process.is_running():
                process.kill()
        self.command.wait()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = Settings(home=tmp_path_factory.mktemp("serve"))
    small_service.run(settings)
    return settings


@pytest.fixture
def server(home: Settings) -> Iterator[Server]:
    server = Server(home)
    yield server
    server.stop()


def test_one_that_lives_holds_its_port_and_ends_with_a_killed_command(server: Server) -> None:
    for worker in server.workers:
        worker.kill()
    wait_until(server.ready, 60)
    assert server.command.poll() is None, "a killed worker is started again"
    second = subprocess.run(
        COMMAND, cwd=ROOT, env=server.environment(), capture_output=True, text=True
    )
    assert second.returncode == 2
    assert f"The port {server.port} is taken by process" in second.stderr
    assert "YUPANA_SERVE_PORT" in second.stderr
    server.workers = server.parent.children(recursive=True)
    os.kill(server.command.pid, signal.SIGKILL)
    wait_until(server.gone, 20)


def test_no_worker_outlives_a_killed_parent_and_the_command_says_so(server: Server) -> None:
    server.parent.kill()
    assert server.command.wait(timeout=60) == 3
    assert "The service ended" in server.log.read_text()
    wait_until(server.gone, 20)


def test_who_holds_a_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind((ports.HOST, 0))
        held.listen()
        port = held.getsockname()[1]
        with pytest.raises(UsageError, match=f"taken by process {os.getpid()} "):
            ports.demand_free(port, "YUPANA_SERVE_PORT")
    ports.demand_free(port, "YUPANA_SERVE_PORT")
    ports.demand_free(0, "YUPANA_SERVE_PORT")
