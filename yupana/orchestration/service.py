"""Start a use case's service, ask it, and never leave it behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yupana.client import Client
from yupana.config.settings import Settings
from yupana.core import ports, usecase
from yupana.core.errors import TransientError
from yupana.serving import starter

START_SECONDS = 600
"""A service that is ready in ten seconds takes minutes where others use the machine as well."""
DRAIN_SECONDS = 30
STOP_SECONDS = 35
LOG_LINES = 12
_REQUEST = '"event":"request"'
"""In the line of a request, which says nothing of why a service ended."""


@dataclass(frozen=True)
class Service:
    """A service that answers at `url`, and the process that it runs in."""

    url: str
    child: subprocess.Popen[Any]
    log: Path

    def wait(self) -> None:
        """Until Ctrl-C or a polite stop.

        Raises:
            TransientError: the service ended by itself; shows the end of its log.
        """
        status = self.child.wait()
        if status < 0:
            raise _killed(signal.Signals(-status), self.log)
        raise _ended("The service ended", self.log)


@contextmanager
def running(settings: Settings, use_case: str) -> Iterator[str]:
    """Serve a use case while the block runs (`started`); yields the base URL."""
    with started(settings, use_case) as service:
        yield service.url


@contextmanager
def started(settings: Settings, use_case: str) -> Iterator[Service]:
    """Serve `serving/<use_case>/service.py` while the block runs.

    The whole process group is ended when the block is left, also by Ctrl-C; where this process is
    killed, the service ends by itself (`serving.starter`).

    Raises:
        UsageError: the port is taken; names who holds it. Port 0 takes any that is free.
        TransientError: the service did not get ready; says whether it failed or took too long, and
            shows the end of its log.
    """
    ports.demand_free(settings.serve_port, "YUPANA_SERVE_PORT")
    port = ports.free(settings.serve_port)
    # Two services of one home do not write into one log: the port tells them apart.
    name = use_case if settings.serve_port else f"{use_case}-{port}"
    log = settings.home / "logs" / f"serve-{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "bentoml",
        "serve",
        usecase.service(use_case),
        "--host",
        ports.HOST,
        "--port",
        str(port),
        "--working-dir",
        str(settings.root),
        "--timeout-graceful-shutdown",
        str(DRAIN_SECONDS),
    ]
    url = f"http://{ports.HOST}:{port}"
    with log.open("w") as stream:
        child = subprocess.Popen(
            command,
            env=settings.environment() | starter.mark(),
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_ready(child, url, log)
        yield Service(url, child, log)
        if not settings.serve_port:
            log.unlink(missing_ok=True)
    finally:
        stop_group(child)


def ask(url: str, use_case: str, action: str, body: dict[str, Any], *, key: str) -> dict[str, Any]:
    """Ask an endpoint of a service once, as any client would, and return its answer.

    Raises:
        TerminalError: the service refused the request; repeats its reason and its fix.
        TransientError: the service failed, or nothing answers at `url`.
    """
    with Client(url, use_case, key, retries=0, timeout=60.0) as client:
        return client.call(action, body)


def stop_group(child: subprocess.Popen[Any]) -> None:
    """End a child that leads its own session, and everything that it started.

    BentoML's workers leave the child's process group for sessions of their own, so a signal to
    the group alone would let them live on when the child must be killed.
    """
    import psutil  # type: ignore[import-untyped,unused-ignore]

    descendants: list[Any] = []
    with suppress(psutil.NoSuchProcess):
        descendants = psutil.Process(child.pid).children(recursive=True)
    try:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            child.wait(timeout=STOP_SECONDS)
    finally:
        # Also when a second Ctrl-C cut the wait short.
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        for process in descendants:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        child.wait()


def _wait_ready(child: subprocess.Popen[Any], url: str, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and child.poll() is None and not _worker_failed(log):
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    if child.poll() is not None or _worker_failed(log):
        raise _ended("The service did not start", log)
    raise TransientError(
        f"The service did not answer within {START_SECONDS} seconds; it had not failed.",
        where=str(log),
        fix="Run it again when less else is running on this machine; the log says how far it came.",
    )


def _killed(by: signal.Signals, log: Path) -> TransientError:
    """What its log says last are requests that were answered: it had no time to say more."""
    return TransientError(
        f"The service ended: its parent process was killed by {by.name}, not by yupana.",
        where=str(log),
        fix="Look for who did it (out of memory: `dmesg`; a colleague; the system) and start it "
        "again.",
    )


def _ended(what: str, log: Path) -> TransientError:
    lines = log.read_text(errors="replace").strip().splitlines()
    last = "\n".join([line for line in lines if _REQUEST not in line][-LOG_LINES:])
    return TransientError(
        f"{what}:\n{last}",
        where=str(log),
        fix="Mend what the lines above say and run it again.",
    )


def _worker_failed(log: Path) -> bool:
    """BentoML restarts a worker that cannot start for ever, and its parent never ends."""
    return "Initializing service error" in log.read_text(errors="replace")
