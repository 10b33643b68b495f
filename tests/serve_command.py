"""`yupana serve` as whoever runs it has it: the command, BentoML's parent, two workers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psutil
from small_service import NAME
from waiting import wait_until

from yupana.config.settings import ROOT, Settings
from yupana.core import ports

COMMAND = [sys.executable, "-m", "yupana.cli.main", "serve", NAME]
WORKERS = 2
READY_SECONDS = 300


def running(process: psutil.Process) -> bool:
    """Whether it lives, and is not only waited for."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def slowness() -> float:
    """How many want each core of this machine: by it, all takes longer than on an idle one."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


class Server:
    """The command, started, with what it started in its turn; again by `start` once it ended."""

    def __init__(self, settings: Settings) -> None:
        fixed = {"serve_port": ports.free(), "serve_workers": WORKERS}
        self.settings = settings.model_copy(update=fixed)
        self.port = self.settings.serve_port
        self.log = settings.home / "serve.log"
        self.start()

    def start(self) -> None:
        """Until all workers answer."""
        with self.log.open("w") as out:
            self.command = subprocess.Popen(
                COMMAND, cwd=ROOT, env=self.settings.environment(), stdout=out, stderr=out
            )
        self.workers: list[psutil.Process] = []
        wait_until(self.ready, READY_SECONDS)
        # The command, too, has seen that it answers.
        wait_until(lambda: "http://" in self.log.read_text(), READY_SECONDS)
        (self.parent,) = psutil.Process(self.command.pid).children()
        wait_until(self.whole, READY_SECONDS)

    def ready(self) -> bool:
        """Whether one answers."""
        assert self.command.poll() is None, self.log.read_text()[-3000:]
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def whole(self) -> bool:
        """Whether all workers are there, and have been started as often as they had to."""
        self.workers = [p for p in self.parent.children(recursive=True) if running(p)]
        return len(self.workers) == WORKERS

    def gone(self) -> bool:
        """Whether nothing of it runs, and nobody answers."""
        return not any(map(running, self.processes())) and not ports.answers(self.port)

    def processes(self) -> list[psutil.Process]:
        """BentoML's parent and the workers that were there last."""
        return [self.parent, *self.workers]

    def stop(self) -> None:
        """All at once, as a machine that loses its power."""
        self.command.kill()
        for process in self.processes():
            if process.is_running():
                process.kill()
        self.command.wait()
        wait_until(self.gone, 20)


@contextmanager
def served(settings: Settings) -> Iterator[Server]:
    """A home's service while the block runs."""
    server = Server(settings)
    try:
        yield server
    finally:
        server.stop()
