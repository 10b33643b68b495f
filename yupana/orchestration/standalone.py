"""`yupana up` and `yupana down`: a shared Spark server and Airflow with its page, on one machine.

Airflow's own `standalone` is not used: its log servers listen on all addresses, and it prints
the password. Its four parts are started here instead, each with a log of its own.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from yupana.config.settings import Settings
from yupana.core.errors import TransientError, UsageError
from yupana.core.progress import Progress
from yupana.data import connect
from yupana.orchestration import airflow_home, service

HOST = "127.0.0.1"
START_SECONDS = 180
STOP_SECONDS = 15
AIRFLOW = {
    # Log servers are for workers on other machines; they would listen on all addresses.
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
    "api-server": ["api-server"],
}
# In the environment of everything that one `up` started, so that none of it can be lost.
MARK = "YUPANA_UP_ID"


@dataclass(frozen=True)
class Part:
    """A process that `up` started, the leader of its own group."""

    name: str
    child: subprocess.Popen[bytes]
    log: Path


def up(settings: Settings, progress: Progress) -> None:
    """Start everything, say when it is ready, and stay until Ctrl-C or `yupana down`.

    Raises:
        UsageError: it runs already.
        TransientError: a port is taken, or a part did not start or ended; shows its log.
    """
    mark = _claim(settings)
    parts: list[Part] = []
    shared = settings.model_copy(update={"spark_remote": connect.address(settings)})
    airflow = airflow_home.environment(shared)
    try:
        _must_be_free(settings.spark_port, "YUPANA_SPARK_PORT")
        _must_be_free(settings.airflow_port, "YUPANA_AIRFLOW_PORT")
        # A closed terminal must stop the parts, as Ctrl-C does.
        signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
        progress.say(f"Spark: start the shared server at {shared.spark_remote} …")
        start = connect.command(settings)
        spark_log = settings.home / "logs" / "spark-connect.log"
        folder = settings.home / "spark"
        parts.append(_start("spark", start, connect.environment(settings), mark, spark_log, folder))
        progress.say("Airflow: prepare its database …")
        airflow_home.run(shared, ["db", "migrate"])
        _wait(parts, lambda: _answers(settings.spark_port))
        progress.say(f"Airflow: start {', '.join(AIRFLOW)} …")
        for name, args in AIRFLOW.items():
            command = [sys.executable, "-m", "airflow", *args]
            log = airflow_home.log(settings, name)
            parts.append(_start(name, command, airflow, mark, log, settings.root))
        _wait(parts, lambda: _healthy(settings))
        progress.say(f"ready: {airflow_home.url(settings)}")
        progress.say(f"user admin; the password is in {airflow_home.password_file(settings)}")
        progress.say("stop it with Ctrl-C here, or `yupana down` from another terminal")
        _wait(parts, lambda: False, seconds=float("inf"))
    finally:
        if parts:
            progress.say("stopping …")
            _stop(parts, mark)
            progress.say("stopped")
        _state(settings).unlink(missing_ok=True)


def down(settings: Settings) -> str:
    """Stop what `up` started, also what outlived it; tells in one line what was found.

    Raises:
        TransientError: a process could not be ended.
    """
    known = _read(settings)
    if known is None:
        return "nothing runs here"
    leader = _process(known)
    if leader:
        leader.terminate()
        with suppress(psutil.TimeoutExpired):
            leader.wait(2 * STOP_SECONDS)
    left = _end(known["mark"])
    if leader and leader.is_running():
        leader.kill()
    _state(settings).unlink(missing_ok=True)
    if leader:
        return f"stopped (process {known['pid']})"
    return f"`yupana up` had ended without stopping its parts; ended {left} processes of it"


def _claim(settings: Settings) -> str:
    """Note that this process is the one that runs things here; returns its mark."""
    known = _read(settings)
    if known and _process(known):
        raise UsageError(
            f"It runs already (process {known['pid']}).",
            where=airflow_home.url(settings),
            fix="Use it, or stop it with `yupana down`.",
        )
    if known:
        down(settings)
    me = psutil.Process()
    state = {"pid": me.pid, "started": me.create_time(), "mark": uuid.uuid4().hex}
    with _state(settings).open("x") as stream:
        json.dump(state, stream)
    return str(state["mark"])


def _state(settings: Settings) -> Path:
    return settings.home / "up.json"


def _read(settings: Settings) -> dict[str, Any] | None:
    try:
        known: dict[str, Any] = json.loads(_state(settings).read_text())
        return known
    except FileNotFoundError:
        return None


def _process(known: dict[str, Any]) -> psutil.Process | None:
    """The process that wrote the file; None when it ended, or its number is another's now."""
    with suppress(psutil.NoSuchProcess):
        found = psutil.Process(known["pid"])
        if abs(found.create_time() - known["started"]) < 1:
            return found
    return None


def _must_be_free(port: int, name: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise TransientError(
                f"The port {port} is taken.",
                where=f"{HOST}:{port}",
                fix=f"Stop what uses it (ss -ltnp 'sport = :{port}'), or set {name} to a free one.",
            ) from error


def _start(
    name: str, command: list[str], environment: dict[str, str], mark: str, log: Path, folder: Path
) -> Part:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as stream:
        child = subprocess.Popen(
            command,
            cwd=folder,
            env={**environment, MARK: mark},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Part(name, child, log)


def _wait(parts: list[Part], ready: Callable[[], bool], seconds: float = START_SECONDS) -> None:
    """Until `ready`, while all parts live.

    Raises:
        TransientError: a part ended, or it took longer than `seconds`.
    """
    end = time.monotonic() + seconds
    while not ready():
        gone = next((p for p in parts if p.child.poll() is not None), None)
        if gone or time.monotonic() > end:
            part = gone or parts[-1]
            last = "\n".join(part.log.read_text(errors="replace").strip().splitlines()[-12:])
            raise TransientError(
                f"{part.name} {'ended' if gone else 'did not get ready'}:\n{last}",
                where=str(part.log),
                fix="Mend what the lines above say and run it again.",
            )
        time.sleep(0.5)


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection((HOST, port), 1):
        return True
    return False


def _healthy(settings: Settings) -> bool:
    """Whether Airflow itself says that all its parts are well."""
    try:
        address = f"{airflow_home.url(settings)}/api/v2/monitor/health"
        with urllib.request.urlopen(address, timeout=5) as answer:
            parts = json.load(answer)
    except (OSError, ValueError):
        return False
    needed = ("metadatabase", "scheduler", "triggerer", "dag_processor")
    return all((parts.get(name) or {}).get("status") == "healthy" for name in needed)


def _stop(parts: list[Part], mark: str) -> None:
    """End all parts politely and at once, then whatever is left of them."""
    try:
        for part in parts:
            with suppress(ProcessLookupError):
                os.killpg(part.child.pid, signal.SIGTERM)
        end = time.monotonic() + STOP_SECONDS
        for part in parts:
            with suppress(subprocess.TimeoutExpired):
                part.child.wait(max(0.1, end - time.monotonic()))
    finally:
        # Also when a second Ctrl-C cut the wait short.
        for part in parts:
            service.stop_group(part.child)
        _end(mark)


def _end(mark: str) -> int:
    """End every process that bears the mark; returns how many there were.

    Raises:
        TransientError: one lives on.
    """
    found = [p for p in psutil.process_iter() if _bears(p, mark)]
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(found, timeout=STOP_SECONDS)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    _, alive = psutil.wait_procs(alive, timeout=STOP_SECONDS)
    if alive:
        raise TransientError(
            f"These processes could not be ended: {', '.join(str(p.pid) for p in alive)}.",
            fix="End them by hand with kill -9, then run `yupana down` again.",
        )
    return len(found)


def _bears(process: psutil.Process, mark: str) -> bool:
    try:
        return bool(process.environ().get(MARK) == mark)
    except (psutil.Error, OSError):
        return False
