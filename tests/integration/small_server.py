"""The small BentoML service in processes of its own, and callers that no client library is."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from yupana.config.settings import QUIET, ROOT


@dataclass
class Running:
    """A service that answers at `url`; all that it says to stderr goes to `log`."""

    url: str
    port: int
    log: Path
    process: subprocess.Popen[bytes]

    def lines(self, event: str, request_id: str) -> list[dict[str, Any]]:
        """The log's lines of one request, once they are written."""
        end = time.monotonic() + 5
        while time.monotonic() < end:
            entries = [
                json.loads(x) for x in self.log.read_text().splitlines() if x.startswith("{")
            ]
            mine = [x for x in entries if x["event"] == event and x["request_id"] == request_id]
            if mine:
                return mine
            time.sleep(0.1)
        return []


@contextmanager
def served(folder: Path, **environment: str) -> Iterator[Running]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    here = f"{ROOT}{os.pathsep}{ROOT / 'tests' / 'integration'}"
    given = {**os.environ, **QUIET, "BENTOML_HOME": str(folder), "PYTHONPATH": here, **environment}
    command = [
        sys.executable, "-m", "bentoml", "serve", "operations_service:Small", "--port", str(port),
        "--host", "127.0.0.1", "--timeout-graceful-shutdown", "30",
    ]  # fmt: skip
    log = folder / "log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            command, env=given, stdout=stream, stderr=subprocess.STDOUT, cwd=ROOT
        )
    running = Running(f"http://127.0.0.1:{port}", port, log, process)
    family: list[psutil.Process] = []
    try:
        _wait_ready(running)
        family = psutil.Process(process.pid).children(recursive=True)
        yield running
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        finally:
            for child in family:
                if child.is_running():
                    child.kill()


def _wait_ready(running: Running) -> None:
    end = time.monotonic() + 120
    while True:
        try:
            if httpx.get(f"{running.url}/readyz", timeout=1).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        alive = running.process.poll() is None and time.monotonic() < end
        assert alive, running.log.read_text()[-3000:]
        time.sleep(0.2)


def raw(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """What is answered to bytes that no proper client would send."""
    answer = b""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=15) as connection,
        # What it closes before it has read all.
        suppress(ConnectionResetError, BrokenPipeError),
    ):
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
        while chunk := connection.recv(65536):
            answer += chunk
    return answer


def connections(running: Running) -> set[int]:
    """Ports of those who are connected to the service."""
    return {c.raddr.port for p in family(running) for c in p.net_connections("tcp") if c.raddr}


def memory(running: Running) -> int:
    """Bytes that its processes take."""
    return sum(process.memory_info().rss for process in family(running))


def family(running: Running) -> list[psutil.Process]:
    """Workers, and whatever else its parent started."""
    return psutil.Process(running.process.pid).children(recursive=True)
