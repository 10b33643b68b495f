"""`yupana up` and `yupana down`: a shared engine and Airflow with its page, on one machine.

Airflow's own `standalone` is not used: its log servers listen on all addresses, and it prints
the password. Its four parts are started here instead, each with a log of its own.
"""

from __future__ import annotations

import json
import signal
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from yupana.config.settings import Settings
from yupana.core import ports
from yupana.core.errors import TransientError, UsageError
from yupana.core.progress import Progress
from yupana.data import engine
from yupana.data.engine import remote, sail, spark
from yupana.orchestration import airflow_home, processes
from yupana.orchestration.processes import ProcessGroup

START_SECONDS = 180
AIRFLOW = {
    # Log servers are for workers on other machines; they would listen on all addresses.
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
    "api-server": ["api-server"],
}


def up(settings: Settings, progress: Progress) -> None:
    """Start everything, say when it is ready, and stay until Ctrl-C or `yupana down`.

    Raises:
        UsageError: it runs already.
        TransientError: a port is taken, or a part did not start or ended; shows its log.
    """
    _must_be_alone(settings)
    if engine.select(settings).kind != "remote":
        ports.demand_free(settings.engine_port, "YUPANA_ENGINE_PORT")
    ports.demand_free(settings.airflow_port, "YUPANA_AIRFLOW_PORT")
    # A closed terminal must stop the parts, as Ctrl-C does.
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    ours = processes.new()
    processes.save(settings, ours)
    try:
        _run(settings, ours, progress)
    finally:
        progress.say("stopping …")
        ours.end()
        processes.forget(settings)
        progress.say("stopped")


def _run(settings: Settings, ours: ProcessGroup, progress: Progress) -> None:
    parts: dict[Path, psutil.Popen] = {}

    def start(name: str, command: list[str], environment: dict[str, str], log: Path) -> None:
        parts[log] = ours.start(settings, name, command, environment, log)

    own_engine = engine.select(settings).kind != "remote"
    tasks = settings
    if own_engine:
        progress.say(f"{settings.engine}: start the shared engine on port {settings.engine_port} …")
        command, environment, tasks = shared_engine(settings, progress)
        start("engine", command, environment, settings.home / "logs" / "engine.log")
    progress.say("Airflow: prepare its database …")
    airflow_home.run(tasks, ["db", "migrate"])
    if own_engine:
        _wait(parts, lambda: ports.answers(settings.engine_port))
    progress.say(f"Airflow: start {', '.join(AIRFLOW)} …")
    for name, args in AIRFLOW.items():
        command = [sys.executable, "-m", "airflow", *args]
        start(name, command, airflow_home.environment(tasks), airflow_home.log(settings, name))
    _wait(parts, lambda: _healthy(settings))
    progress.say(f"ready: {airflow_home.url(settings)}")
    progress.say(f"user admin; the password is in {airflow_home.password_file(settings)}")
    progress.say("stop it with Ctrl-C here, or `yupana down` from another terminal")
    _wait(parts, lambda: False, seconds=float("inf"))


class SharedEngine(NamedTuple):
    """How the shared engine is started, and the settings of those who share it."""

    command: list[str]
    environment: dict[str, str]
    tasks: Settings


def shared_engine(settings: Settings, progress: Progress) -> SharedEngine:
    """The engine of `settings`, to be started on their port by whoever asks."""
    update: dict[str, Any] = {"engine": f"sc://localhost:{settings.engine_port}"}
    if settings.engine == "sail":
        environment = {**settings.environment(), **sail.environment(settings)}
        command = sail.command(settings.engine_port)
        return SharedEngine(command, environment, settings.model_copy(update=update))
    update["engine_token"] = remote.token(settings)
    token = update["engine_token"].read_text()
    command = spark.command(settings, progress, settings.engine_port)
    environment = {**settings.environment(), **spark.environment(token)}
    return SharedEngine(command, environment, settings.model_copy(update=update))


def down(settings: Settings) -> str:
    """Stop what `up` started, also what outlived it; tells in one line what was found.

    Raises:
        TransientError: a process could not be ended.
    """
    running = processes.load(settings)
    if running is None:
        return "nothing runs here"
    leader = running.leader.process()
    if leader:
        leader.terminate()
        with suppress(psutil.TimeoutExpired):
            leader.wait(2 * processes.STOP_SECONDS)
    count = running.end()
    if leader and leader.is_running():
        leader.kill()
    processes.forget(settings)
    if leader:
        return f"stopped (process {leader.pid})"
    return f"`yupana up` had ended without stopping its parts; ended {count} processes of it"


def _must_be_alone(settings: Settings) -> None:
    """End what a killed `up` left; refuse beside one that lives."""
    running = processes.load(settings)
    if running is None:
        return
    if running.leader.process():
        raise UsageError(
            f"It runs already (process {running.leader.pid}).",
            where=airflow_home.url(settings),
            fix="Use it, or stop it with `yupana down`.",
        )
    running.end()


def _wait(
    parts: dict[Path, psutil.Popen], ready: Callable[[], bool], seconds: float = START_SECONDS
) -> None:
    """Until `ready`, while all parts live.

    Raises:
        TransientError: a part ended, or it took longer than `seconds`; shows its log's end.
    """
    end = time.monotonic() + seconds
    while not ready():
        dead = next((log for log, child in parts.items() if child.poll() is not None), None)
        if dead or time.monotonic() > end:
            log = dead or list(parts)[-1]
            last = "\n".join(log.read_text(errors="replace").strip().splitlines()[-12:])
            raise TransientError(
                f"{log.stem} {'ended' if dead else 'did not get ready'}:\n{last}",
                where=str(log),
                fix="Mend what the lines above say and run it again.",
            )
        time.sleep(0.5)


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
