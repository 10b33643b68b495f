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
from datetime import date
from pathlib import Path
from typing import Any

from yupana.client import Client
from yupana.config.settings import Settings
from yupana.core import ports
from yupana.core.errors import TransientError

START_SECONDS = 120
DRAIN_SECONDS = 30
STOP_SECONDS = 35
LOG_LINES = 12


@contextmanager
def running(settings: Settings, use_case: str) -> Iterator[str]:
    """Serve `serving/<use_case>.py` while the block runs; yields the base URL.

    The whole process group is ended when the block is left, also by Ctrl-C.

    Raises:
        TransientError: the service did not get ready; shows the end of its log.
    """
    port = ports.free(settings.serve_port)
    log = settings.home / "logs" / f"serve-{use_case}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "bentoml",
        "serve",
        f"serving.{use_case}:{use_case.title()}",
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
            env=settings.environment(),
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_ready(child, url, log)
        yield url
    finally:
        stop_group(child)


def ask(
    url: str, ubigeos: list[str], horizon: int = 8, *, key: str, as_of: date | None = None,
    use_case: str = "outbreak",
) -> dict[str, Any]:  # fmt: skip
    """Ask the forecast endpoint once, as any client would, and return its answer.

    Raises:
        TerminalError: the service refused the request; repeats its reason and its fix.
        TransientError: the service failed, or nothing answers at `url`.
    """
    asked = {"ubigeo": ubigeos, "horizon": horizon, "as_of": as_of and str(as_of)}
    with Client(url, key, use_case=use_case, retries=0, timeout=60.0) as client:
        return client.post(f"/v1/{use_case}/forecast", asked)


def wait() -> None:
    """Sleep until Ctrl-C or a polite stop."""
    while True:
        time.sleep(3600)


def stop_group(child: subprocess.Popen[Any]) -> None:
    """End a child that leads its own session, and everything that it started.

    BentoML's workers leave the child's process group for sessions of their own, so a signal to
    the group alone would let them live on when the child must be killed.
    """
    import psutil  # type: ignore[import-untyped,unused-ignore]

    family: list[Any] = []
    with suppress(psutil.NoSuchProcess):
        family = psutil.Process(child.pid).children(recursive=True)
    try:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            child.wait(timeout=STOP_SECONDS)
    finally:
        # Also when a second Ctrl-C cut the wait short.
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        for process in family:
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
    last = "\n".join(log.read_text(errors="replace").strip().splitlines()[-LOG_LINES:])
    raise TransientError(
        f"The service did not start:\n{last}",
        where=str(log),
        fix="Mend what the lines above say and run it again.",
    )


def _worker_failed(log: Path) -> bool:
    """BentoML restarts a worker that cannot start for ever, and its parent never ends."""
    return "Initializing service error" in log.read_text(errors="replace")
