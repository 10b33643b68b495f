"""Callers of a service who ask on whatever happens, and what each of them received whole."""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count, pairwise
from types import TracebackType

from late_lake import DISTRICTS
from small_service import NAME, NEWEST

BODY = json.dumps({"ubigeo": DISTRICTS[0], "as_of": str(NEWEST), "horizon": 1}).encode()
HEAD = "POST /v1/{name}/forecast HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\n"
LOST = (OSError, asyncio.IncompleteReadError)


@dataclass(frozen=True)
class Reply:
    """An answer that came whole.

    Attributes:
        end: by the clock that does not jump.
        seconds: since the caller wanted it, connections that broke among them.
    """

    end: float
    seconds: float
    status: int
    request_id: str
    body: bytes


class Callers:
    """Some of them, on threads of their own, while the block runs.

    Args:
        pause: seconds between an answer and the next question of the same caller.
    """

    def __init__(self, port: int, key: str, many: int = 4, pause: float = 0.0) -> None:
        self.replies: list[Reply] = []
        self._port, self._many, self._pause = port, many, pause
        self._head = HEAD.format(name=NAME, key=key) + f"Content-Length: {len(BODY)}\r\n"
        self._mark, self._numbers = secrets.token_hex(4), count()
        self._end = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._all()))

    def __enter__(self) -> Callers:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._end.set()
        self._thread.join()

    def since(self, start: float) -> list[Reply]:
        """What was answered since a moment."""
        return [reply for reply in list(self.replies) if reply.end - reply.seconds >= start]

    async def _all(self) -> None:
        await asyncio.gather(*(self._one() for _ in range(self._many)))

    async def _one(self) -> None:
        began = time.monotonic()
        while not self._end.is_set():
            with suppress(*LOST):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                try:
                    while not self._end.is_set():
                        reply = await asyncio.wait_for(self._ask(reader, writer, began), 30)
                        self.replies.append(reply)
                        await asyncio.sleep(self._pause)
                        began = time.monotonic()
                finally:
                    writer.close()
            await asyncio.sleep(0.02)

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, began: float
    ) -> Reply:
        name = f"{self._mark}-{next(self._numbers)}"
        writer.write(f"{self._head}X-Request-Id: {name}\r\n\r\n".encode() + BODY)
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        body = await reader.readexactly(size)
        end = time.monotonic()
        return Reply(end, end - began, int(head[9:12]), name, body)


def longest_silence(replies: Sequence[Reply], start: float, end: float) -> float:
    """The most seconds between two moments in which nobody was answered well."""
    good = sorted(r.end for r in replies if r.status == 200 and start <= r.end <= end)
    moments = [start, *good, end]
    return max(later - before for before, later in pairwise(moments))
