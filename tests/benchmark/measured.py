"""Run a command in a process of its own and say how long it took and how much memory it held."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from yupana.core.progress import Progress

SAMPLE_SECONDS = 0.2
SAY_SECONDS = 20


@dataclass(frozen=True)
class Run:
    """One run: wall seconds from start to exit, the peak of the tree's resident memory
    (pages that processes share count in each), the load before, and what it printed last."""

    seconds: float
    peak_bytes: int
    load_before: float
    told: dict[str, Any]

    def facts(self) -> dict[str, Any]:
        return asdict(self)


def run(name: str, command: list[str], environment: dict[str, str], cwd: Path, log: Path,
        progress: Progress) -> Run:  # fmt: skip
    """Run to the end; the last line of its output must be a JSON object.

    Raises:
        SystemExit: it failed; shows the end of its log.
    """
    load = os.getloadavg()[0]
    began = said = time.monotonic()
    peak = 0
    with log.open("w") as errors, log.with_suffix(".out").open("w+") as out:
        child = subprocess.Popen(command, stdout=out, stderr=errors, env=environment, cwd=cwd)
        try:
            while child.poll() is None:
                peak = max(peak, _resident(child.pid))
                if time.monotonic() - said > SAY_SECONDS:
                    said = time.monotonic()
                    progress.say(f"{name}: {said - began:.0f} s, {peak / 2**30:.1f} GiB at most")
                # Often at first: a short run would be over before the second look.
                time.sleep(min(SAMPLE_SECONDS, 0.01 + (time.monotonic() - began) / 10))
        finally:
            _end(child)
        seconds = round(time.monotonic() - began, 2)
        out.seek(0)
        lines = deque(out, maxlen=1)
    if child.returncode:
        text = "".join(log.read_text(errors="replace").splitlines(keepends=True)[-30:])
        raise SystemExit(f"{name} failed with exit code {child.returncode}:\n{text}")
    return Run(seconds, peak, round(load, 2), json.loads(lines[0]))


def _resident(pid: int) -> int:
    """Resident bytes of a process and of all its children (a JVM, Python workers)."""
    try:
        process = psutil.Process(pid)
        tree = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    total = 0
    for each in tree:
        try:
            total += each.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def _end(child: subprocess.Popen[Any]) -> None:
    """Leave no JVM behind when the benchmark is interrupted."""
    if child.poll() is not None:
        return
    for each in [*psutil.Process(child.pid).children(recursive=True), psutil.Process(child.pid)]:
        each.kill()
    child.wait()
