"""One JSON line to stderr, and one count, for each request; by a thread, many at a time.

A line holds no body, no key, no value of a query and no path as it was sent: the ids of the
request and of the key, and the address's template. A reader of stderr that stands still makes
lines be dropped, and counted, never requests wait.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections import deque
from typing import Any, NamedTuple

import orjson

from yupana.predictions.usage import Caller
from yupana.serving.http import metrics

# Often, so that the thread never holds the interpreter for long.
FLUSH_SECONDS = 0.05
MOST_WAITING = 50_000
STDERR = 2
_NOBODY = Caller()


class AccessRecord(NamedTuple):
    """A request that was answered; `time` in seconds since 1970, `seconds` that it took."""

    time: float
    seconds: float
    request_id: str
    method: str
    route: str
    status: int
    caller: Caller | None


class AccessLog:
    """Takes records at once; writes their lines soon to the file descriptor `to`."""

    def __init__(self, to: int = STDERR) -> None:
        self._to, self._dropped, self._reported = to, 0, 0
        self._waiting: deque[AccessRecord | dict[str, Any]] = deque()
        self._lines: deque[bytes] = deque()
        self._counting, self._stop = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="request log", daemon=True)
        self._thread.start()
        metrics.look.append(self.count)
        atexit.register(self.close)

    def add(self, line: AccessRecord | dict[str, Any]) -> None:
        """Count and log a request, or log another event: a dict with `time` and `event`."""
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(line)
        else:
            self._dropped += 1

    def count(self) -> None:
        """Put what waits into the metrics now, and make lines of it."""
        with self._counting:
            for _ in range(min(len(self._waiting), MOST_WAITING - len(self._lines))):
                line = self._waiting.popleft()
                event = _count(line) if isinstance(line, AccessRecord) else line
                self._lines.append(_json_line(event))

    def close(self) -> None:
        """Write what waits and stop."""
        atexit.unregister(self.close)
        self._stop.set()
        # Not for ever: who reads may stand still.
        self._thread.join(timeout=2)

    def _run(self) -> None:
        while not self._stop.wait(FLUSH_SECONDS):
            self._write()
        self._write()

    def _write(self) -> None:
        self.count()
        if more := self._dropped - self._reported:
            self._reported += more
            self._lines.append(
                _json_line({"time": time.time(), "event": "lines dropped", "lines": more})
            )
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        waiting = memoryview(b"".join(lines))
        try:
            while waiting:
                waiting = waiting[os.write(self._to, waiting) :]
        except OSError:
            # Nobody reads any more: a request is worth more than its line.
            return


def _json_line(line: dict[str, Any]) -> bytes:
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def _count(record: AccessRecord) -> dict[str, Any]:
    """The line of a request, once it is in the metrics."""
    caller = record.caller or _NOBODY
    # The address of a refused request is its caller's text: only what answered is logged.
    model = (caller.model if record.status < 400 else "") or "-"
    outcome = metrics.outcome(record.status)
    metrics.requests(model, caller.agency or "-", outcome).observe(record.seconds)
    return {
        "time": round(record.time, 3),
        "event": "request",
        "request_id": record.request_id,
        "method": record.method,
        "route": record.route,
        "status": record.status,
        "ms": round(record.seconds * 1000, 3),
        "agency": caller.agency,
        "key_id": caller.key_id,
        "model": model,
    }
