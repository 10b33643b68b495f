"""Work that many requests wait for and that is done once: in a thread, in one go for all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Collects what requests ask for while the work before is under way, then does it at once.

    Args:
        work: takes all that was asked for; blocks, and runs in one thread at a time.
    """

    def __init__(self, work: Callable[[list[T]], Any]) -> None:
        self._work = work
        self._waiting: list[T] = []
        self._next: asyncio.Task[None] | None = None
        self._turn: asyncio.Lock | None = None
        self._thread: CapacityLimiter | None = None

    def start(self, item: T) -> asyncio.Task[None]:
        """Add to the next turn and return it; it may be waited for, or not."""
        self._waiting.append(item)
        if self._next is None:
            self._next = asyncio.create_task(self._run())
            # Read here, so that a failure that no one waited for is not reported as a crash.
            self._next.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._next

    async def do(self, item: T) -> None:
        """Wait until it is done; raises what the work raised.

        A caller that goes away takes the work from no one: the others wait on.
        """
        await asyncio.shield(self.start(item))

    async def _run(self) -> None:
        self._turn = self._turn or asyncio.Lock()
        self._thread = self._thread or CapacityLimiter(1)
        async with self._turn:
            items, self._waiting, self._next = self._waiting, [], None
            await anyio.to_thread.run_sync(self._work, items, limiter=self._thread)
