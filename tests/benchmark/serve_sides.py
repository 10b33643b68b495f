"""The servers of the benchmark: one worker each, on one core, stopped while another is measured."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from yupana.config.settings import ROOT, Settings
from yupana.core.progress import Progress
from yupana.identity import api_keys
from yupana.orchestration import service

SERVER_CORE, LOAD_CORE = 0, 1
PATH = "/v1/outbreak/forecast"
KEPT = ("bentoml", "feast", "keys", "lake", "platform.db")
START_SECONDS = 60


@dataclass
class Side:
    """A server that runs: where to ask, and its processes."""

    name: str
    url: str
    pid: int
    headers: dict[str, str]
    body: str

    def processes(self) -> list[psutil.Process]:
        first = psutil.Process(self.pid)
        return [first, *first.children(recursive=True)]

    def resident(self) -> int:
        """Bytes of all its processes; pages that they share count in each."""
        found = 0
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                found += process.memory_info().rss
        return found

    def signal(self, number: signal.Signals) -> None:
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def ask(self, question: Any) -> bytes:
        """The body of one answer."""
        headers = {"Content-Type": "application/json", **self.headers}
        request = urllib.request.Request(self.url + PATH, json.dumps(question).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                body: bytes = answer.read()
                return body
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{self.name}: {error.read().decode(errors='replace')}") from error


@contextmanager
def alone(side: Side, sides: list[Side]) -> Iterator[None]:
    """All others are stopped: idle servers poll, and share the core."""
    others = [other for other in sides if other is not side]
    for other in others:
        other.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for other in others:
            other.signal(signal.SIGCONT)


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """This process, and the children that it starts meanwhile, on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def copied_home(config: Settings, scratch: Path) -> Settings:
    """A copy of what the service needs, so that the real log keeps real answers alone.

    Raises:
        SystemExit: nothing is deployed in home.
    """
    home = scratch / "home"
    for name in KEPT:
        source = config.home / name
        if source.is_dir():
            shutil.copytree(source, home / name)
        elif source.exists():
            shutil.copy2(source, home / name)
        elif name in ("bentoml", "feast"):
            raise SystemExit(f"{source} is not there: make run first")
    return Settings(home=home, platform_url="", serve_port=_port())


def with_limits(url: str) -> str:
    """A key as agencies have, of limits that are counted and not reached."""
    limits = {"quota": "900000000/day", "rate": "9000000/min"}
    terms = api_keys.Terms("bench", ("outbreak:forecast",), **limits)
    return api_keys.create(url, terms, now=datetime.now(UTC), by="bench")


@contextmanager
def ours(config: Settings, body: str) -> Iterator[tuple[Side, float]]:
    """`yupana serve` with keys and log on; and the seconds from its start to ready."""
    key = with_limits(config.platform_db)
    before = set(psutil.Process().children())
    began = time.monotonic()
    with on_core(SERVER_CORE):
        running = service.running(config, "outbreak")
        url = running.__enter__()
    seconds = time.monotonic() - began
    try:
        (child,) = set(psutil.Process().children()) - before
        yield Side("yupana", url, child.pid, {"Authorization": f"Bearer {key}"}, body), seconds
    finally:
        running.__exit__(None, None, None)


@contextmanager
def peer(name: str, command: list[str], port: int, body: str, more: dict[str, str],
         log: Path) -> Iterator[Side]:  # fmt: skip
    """A server of others, started by `command`."""
    with on_core(SERVER_CORE), log.open("w") as stream:
        child = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **more}, stdout=stream, stderr=stream,
            start_new_session=True,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                urllib.request.urlopen(f"{url}/readyz", timeout=2).close()
                break
            except OSError as error:
                if time.monotonic() > end or child.poll() is not None:
                    raise SystemExit(f"{name} did not start: {log.read_text()[-2000:]}") from error
                time.sleep(0.2)
        yield Side(name, url, child.pid, {}, body)
    finally:
        service.stop_group(child)


def bare(app: str, body: str, ready: Path, log: Path) -> Any:
    """FastAPI on uvicorn; `app` is a name in `serve_peers`."""
    port = _port()
    command = [
        sys.executable, "-m", "uvicorn", f"tests.benchmark.serve_peers:{app}", "--port", str(port),
        "--no-access-log", "--log-level", "error",
    ]  # fmt: skip
    return peer(f"fastapi, {app}", command, port, body, {"BENCH_BODY": str(ready)}, log)


def litserve(body: str, ready: Path, folder: Path, log: Path, progress: Progress) -> Any:
    """LitServe in an environment of its own, made on first use and kept in `folder`."""
    python = folder / "bin" / "python"
    if not python.exists():
        progress.say("install LitServe in an environment of its own …")
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "litserve"], check=True)
    port = _port()
    script = Path(__file__).with_name("serve_lit.py")
    return peer("litserve", [str(python), str(script), str(port), str(ready)], port, body, {}, log)


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
