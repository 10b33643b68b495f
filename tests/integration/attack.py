"""What a hostile caller does to a port, without a key, bounded in time, rate and count.

A program, so that it takes no time from who measures: python attack.py KIND PORT SECONDS. On
127.0.0.1 alone. Prints, as JSON, how many connections it opened and how many of them were cut.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

POST = b"POST /v1/outbreak/forecast HTTP/1.1\r\nHost: a\r\n"
GET = b"GET /livez HTTP/1.1\r\nHost: a\r\n"
KEY = b"Authorization: Bearer yup_000000000000_" + b"0" * 64 + b"\r\n"
NEVER = 3600.0


@dataclass(frozen=True)
class Attack:
    """Connections that each send `first`, then `then` again and again; new ones for those cut.

    Attributes:
        lines: connections at once.
        pause: seconds between two writes of a connection.
        reads: whether it takes what it is answered.
    """

    lines: int
    pause: float
    first: bytes
    then: bytes = b""
    reads: bool = True


ATTACKS = {
    "idle": Attack(1000, NEVER, b""),
    "slow headers": Attack(300, 0.5, GET + b"X-A: ", b"b"),
    "slow bodies": Attack(300, 0.5, POST + b"Content-Length: 60000\r\n\r\n", b"x"),
    "many headers": Attack(40, 0.05, GET, b"X-A: b\r\n" * 1024),
    "long header": Attack(40, 0.05, GET + b"X-A: ", b"a" * 8192),
    "unending bodies": Attack(
        40, 0.05, POST + b"Transfer-Encoding: chunked\r\n\r\n", b"2000\r\n" + b"x" * 8192 + b"\r\n"
    ),
    "whole bodies": Attack(
        40, 0.2, b"", POST + KEY + b"Content-Length: 65536\r\n\r\n" + b"x" * 65536
    ),
    "pipelines": Attack(10, 0.5, b"", (GET + b"\r\n") * 5000),
    "no readers": Attack(
        100,
        NEVER,
        b"GET /static_content/swagger-ui-bundle.js HTTP/1.1\r\nHost: a\r\n\r\n" * 16,
        reads=False,
    ),
}


async def _line(attack: Attack, port: int, tally: Counter[str]) -> None:
    while True:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            tally["opened"] += 1
            writer.write(attack.first)
            try:
                await _attack(attack, reader, writer)
            finally:
                writer.transport.abort()
                tally["cut"] += 1
        await asyncio.sleep(0.05)


async def _attack(
    attack: Attack, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Until it is cut."""
    end = asyncio.create_task(_read(reader) if attack.reads else asyncio.sleep(NEVER))
    try:
        while not end.done():
            await asyncio.wait([end], timeout=attack.pause)
            writer.write(attack.then)
            await writer.drain()
    finally:
        end.cancel()


async def _read(reader: asyncio.StreamReader) -> None:
    with suppress(OSError):
        while await reader.read(65536):
            pass


async def _main(attack: Attack, port: int, seconds: float) -> dict[str, int]:
    tally: Counter[str] = Counter(opened=0, cut=0)
    lines = [asyncio.create_task(_line(attack, port, tally)) for _ in range(attack.lines)]
    await asyncio.wait(lines, timeout=seconds)
    counts = dict(tally)
    for line in lines:
        line.cancel()
    return counts


@contextmanager
def attacked(kind: str, port: int, seconds: float) -> Iterator[subprocess.Popen[str]]:
    """An attack of so many seconds, begun before the block; it leaves the processor to others."""
    command = ["nice", "-n", "19", sys.executable, __file__, kind, str(port), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        time.sleep(min(1.0, seconds / 4))
        try:
            yield process
        finally:
            process.kill()


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 4096), most))
    kind, port, seconds = sys.argv[1:]
    print(json.dumps(asyncio.run(_main(ATTACKS[kind], int(port), float(seconds)))))
