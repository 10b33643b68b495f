"""Ends requests that take too long, by one timer for all.

`asyncio.timeout` sets and clears a timer for each request, which costs more than all else that
the guard does.
"""

from __future__ import annotations

import asyncio
from typing import Any

LOOK_SECONDS = 0.5
_Task = asyncio.Task[Any]


class Deadlines:
    """The requests of one event loop that have a deadline; it is kept to within half a second."""

    def __init__(self) -> None:
        self._until: dict[_Task, float] = {}
        self._ended: set[_Task] = set()
        self._watching = False

    def set(self, task: _Task, seconds: float) -> None:
        """Cancel the task when it is not done in so many seconds from now."""
        loop = task.get_loop()
        self._until[task] = loop.time() + seconds
        if not self._watching:
            self._watching = True
            loop.call_later(LOOK_SECONDS, self._look, loop)

    def done(self, task: _Task) -> None:
        """The task needs its deadline no more."""
        self._until.pop(task, None)
        self._ended.discard(task)

    def passed(self, task: _Task) -> bool:
        """Whether its cancellation came from here; then the task goes on as if it had none."""
        if task not in self._ended:
            return False
        task.uncancel()
        return True

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for task in [task for task, until in self._until.items() if until <= now]:
            del self._until[task]
            self._ended.add(task)
            task.cancel()
        self._watching = bool(self._until)
        if self._watching:
            loop.call_later(LOOK_SECONDS, self._look, loop)
