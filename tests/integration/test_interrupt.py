"""Ctrl-C, and a polite stop, leave no process behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from waiting import wait_until

from yupana.config.settings import Settings

WAIT_SECONDS = 90


def of_home(home: Path) -> list[psutil.Process]:
    """Processes that were started for this home."""
    processes = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("YUPANA_HOME") == str(home):
                processes.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return processes


def commands(home: Path) -> list[list[str]]:
    """Words of the command lines of this home's processes."""
    lines = []
    for process in of_home(home):
        with suppress(psutil.NoSuchProcess):
            lines.append(process.cmdline())
    return lines


@pytest.mark.parametrize(
    ("sign", "word"),
    [(signal.SIGINT, "ingest"), (signal.SIGTERM, "yupana.orchestration.airflow_process")],
    ids=["ctrl-c at the first step", "terminate in Airflow"],
)
def test_a_stopped_run_leaves_nothing(tmp_path: Path, sign: signal.Signals, word: str) -> None:
    lake = Settings(home=tmp_path)
    command = [sys.executable, "-m", "yupana.cli.main", "run"]
    child = subprocess.Popen(
        command,
        env=lake.environment(),
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        # As a terminal starts it: a test run in the background hands down an ignored SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )

    def started() -> bool:
        return any(word in part for part in commands(tmp_path))

    try:
        wait_until(started, WAIT_SECONDS, 0.1)
        os.kill(child.pid, sign)
        assert child.wait(timeout=30) in (130, 143)
        wait_until(lambda: not of_home(tmp_path))
    finally:
        for process in of_home(tmp_path):
            process.kill()
