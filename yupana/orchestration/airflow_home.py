"""Airflow on one machine: its environment, its command line, and the password of its page."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core import private_file
from yupana.core.errors import TerminalError
from yupana.core.ports import HOST
from yupana.orchestration import service


def environment(settings: Settings) -> dict[str, str]:
    """Airflow with SQLite and this project's DAGs, and nothing that listens beyond this machine."""
    home = settings.home / "airflow"
    page = url(settings)
    return {
        **settings.environment(),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__API__BASE_URL": page,
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(settings.airflow_port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__CORE__DAGS_FOLDER": str(settings.root / "dags"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{page}/execution/",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # Each slot may hold an engine of its own when no server is shared.
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(_password_path(settings)),
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "PYTHONPATH": str(settings.root),
    }


def url(settings: Settings) -> str:
    """Address of the web page."""
    return f"http://{HOST}:{settings.airflow_port}"


def log(settings: Settings, name: str) -> Path:
    """Where a part's words go; makes the folder."""
    path = settings.home / "logs" / f"airflow-{name}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def password_file(settings: Settings) -> Path:
    """File with the password of `admin`, made once, for this user's eyes alone.

    Airflow would make one itself and print it into its log.
    """
    path = _password_path(settings)
    private_file.create(path, lambda: json.dumps({"admin": secrets.token_urlsafe(12)}))
    return path


def _password_path(settings: Settings) -> Path:
    return settings.home / "airflow" / "password.json"


class CommandLine:
    """Runs `airflow` commands in one process, which is started when the first is run."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._child: subprocess.Popen[str] | None = None

    def run(self, args: list[str]) -> None:
        """Run `airflow <args>` to its end; its words go to a log.

        Raises:
            TerminalError: it failed; tells yupana's own error where there is one.
        """
        log_path = log(self._settings, args[-1])
        child = self._process()
        assert child.stdin and child.stdout
        child.stdin.write(f"{json.dumps([args, str(log_path)])}\n")
        child.stdin.flush()
        code = child.stdout.readline().strip()
        output = log_path.read_text(errors="replace")
        if code != "0" or "state=failed" in output:
            raise TerminalError(
                f"`airflow {' '.join(args)}` failed.\n{_reason(output)}",
                where=str(log_path),
                fix="Mend what the lines above say and run it again; what was done is kept.",
            )

    def _process(self) -> subprocess.Popen[str]:
        if self._child is None:
            password_file(self._settings)
            with log(self._settings, "process").open("w") as stream:
                self._child = subprocess.Popen(
                    [sys.executable, "-m", "yupana.orchestration.airflow_process"],
                    env=environment(self._settings),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=stream,
                    text=True,
                    start_new_session=True,
                )
        return self._child

    def end(self) -> None:
        """End the process, and whatever it started."""
        if self._child is not None:
            assert self._child.stdin and self._child.stdout
            # Airflow answers a signal by ending its task; without a next command it ends.
            self._child.stdin.close()
            service.stop_group(self._child)
            self._child.stdout.close()


@contextmanager
def command_line(settings: Settings) -> Iterator[CommandLine]:
    """Airflow's command line; none of its processes is left when the block is."""
    line = CommandLine(settings)
    try:
        yield line
    finally:
        line.end()


def run(settings: Settings, args: list[str]) -> None:
    """Run one `airflow` command in a process of its own; see `CommandLine.run`."""
    with command_line(settings) as line:
        line.run(args)


def _reason(output: str) -> str:
    """The lines that a person needs: yupana's own error, else the log's end."""
    lines = output.strip().splitlines()
    for number in range(len(lines) - 1, -1, -1):
        if lines[number].startswith("yupana:"):
            more = takewhile(lambda line: line.startswith("  "), lines[number + 1 :])
            return "\n".join([lines[number].removeprefix("yupana: "), *more])
    return "\n".join(lines[-8:])
