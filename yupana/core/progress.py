"""Progress on long work: a line a stage on a terminal and in a task's log alike."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Progress(Protocol):
    """Something that is told what goes on."""

    def say(self, message: str) -> None: ...


class Silent:
    """Says nothing: for tests and library use."""

    def say(self, message: str) -> None:
        return None


class Lines:
    """Writes one line an event to stderr, with the seconds since the start."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def say(self, message: str) -> None:
        print(f"  {time.monotonic() - self._start:6.1f}s  {message}", file=sys.stderr, flush=True)


@contextmanager
def stage(progress: Progress, message: str, seconds: dict[str, float]) -> Iterator[None]:
    """Announce a stage and record how long it took, in seconds, under its message."""
    progress.say(f"{message} …")
    start = time.monotonic()
    yield
    seconds[message] = round(time.monotonic() - start, 2)
