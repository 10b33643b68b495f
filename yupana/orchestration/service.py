"""Start a use case's service, ask it, and never leave it behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, TransientError

START_SECONDS = 120
STOP_SECONDS = 10


@contextmanager
def running(settings: Settings, use_case: str) -> Iterator[str]:
    """Serve `serving/<use_case>.py` while the block runs; yields the base URL.

    The whole process group is ended when the block is left, also by Ctrl-C.

    Raises:
        TransientError: the service did not get ready; shows the end of its log.
    """
    port = _free_port(settings.serve_port)
    log = settings.home / "logs" / f"serve-{use_case}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "bentoml",
        "serve",
        f"serving.{use_case}:{use_case.title()}",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--working-dir",
        str(settings.root),
    ]
    url = f"http://127.0.0.1:{port}"
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
    url: str, ubigeos: list[str], horizon: int = 8, *, use_case: str = "outbreak"
) -> dict[str, Any]:
    """POST to the forecast endpoint and return its answer.

    Raises:
        TerminalError: the service refused the request; repeats its reason.
        TransientError: nothing answers at `url`.
    """
    body = json.dumps({"ubigeo": ubigeos, "horizon": horizon}).encode()
    request = urllib.request.Request(
        f"{url}/v1/{use_case}/forecast", data=body, headers={"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except urllib.error.HTTPError as error:
        raise TerminalError(
            f"The service refused: {error.read().decode(errors='replace')}",
            where=url,
            fix="Mend the request as it says.",
        ) from error
    except (urllib.error.URLError, TimeoutError) as error:
        raise TransientError(
            f"Nothing answers: {error}", where=url, fix=f"Start it: yupana serve {use_case}."
        ) from error


def wait() -> None:
    """Sleep until Ctrl-C or a polite stop."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while True:
        time.sleep(3600)


def stop_group(child: subprocess.Popen[Any]) -> None:
    """End a child that leads its own session, and everything that it started."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, sign)
            child.wait(timeout=STOP_SECONDS)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise TransientError("No port is free on 127.0.0.1.", fix="Stop something and run it again.")


def _wait_ready(child: subprocess.Popen[Any], url: str, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and child.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    last = "\n".join(log.read_text(errors="replace").strip().splitlines()[-12:])
    raise TransientError(
        f"The service did not start:\n{last}",
        where=str(log),
        fix="Mend what the lines above say and run it again.",
    )
