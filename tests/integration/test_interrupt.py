"""Ctrl-C, and a polite stop, leave no process behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from yupana.config.settings import Settings

WAIT_SECONDS = 90


def of_home(home: Path) -> list[psutil.Process]:
    """Processes that were started for this home."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("YUPANA_HOME") == str(home):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def wait_until(true, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.3)
    return False


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminate"])
def test_a_stopped_run_leaves_nothing(tmp_path: Path, sign: signal.Signals) -> None:
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

    def spark_runs() -> bool:
        return any("java" in p.name() for p in of_home(tmp_path))

    try:
        assert wait_until(spark_runs, WAIT_SECONDS), "the run never came to start Spark"
        os.kill(child.pid, sign)
        assert child.wait(timeout=30) in (130, 143)
        assert wait_until(lambda: not of_home(tmp_path), 15), of_home(tmp_path)
    finally:
        for process in of_home(tmp_path):
            process.kill()
