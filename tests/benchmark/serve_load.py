"""Load on a service: wrk as fast as it answers, and requests at fixed times whatever it does.

Run alone it is the second: python -m tests.benchmark.serve_load JOB, a JSON file with url, rate,
seconds, body, headers; prints one JSON line. Requests are sent at their times (Poisson, one seed)
and not when the last answer has come, and latency counts from that time: a service that stalls
is charged for all who waited (coordinated omission).
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import re
import subprocess
import sys
import time
from collections import Counter, deque
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SEED = 7
FIRST_LINES, MOST_LINES = 16, 256
DRAIN_SECONDS = 10.0
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_LUA = """wrk.method = "POST"
wrk.body = [==[{body}]==]
{headers}
"""


def closed(url: str, body: str, headers: dict[str, str], lines: int, seconds: float,
           scratch: Path) -> float:  # fmt: skip
    """Good answers a second that wrk gets over `lines` connections.

    Raises:
        SystemExit: wrk is not here, or an answer was not good.
    """
    script = scratch / "post.lua"
    text = "\n".join(f'wrk.headers["{k}"] = "{v}"' for k, v in headers.items())
    script.write_text(_LUA.format(body=body, headers=text))
    command = ["wrk", "-t1", f"-c{lines}", f"-d{seconds:g}s", "-s", str(script), url]
    try:
        process = subprocess.run(command, capture_output=True, text=True, check=True)
    except FileNotFoundError as error:
        raise SystemExit("wrk is not on this machine: apt install wrk") from error
    if trouble := re.search(r"(Non-2xx.*|Socket errors.*)", process.stdout):
        raise SystemExit(f"{url}: {trouble[0]}")
    match = re.search(r"Requests/sec: +([\d.]+)", process.stdout)
    assert match, process.stdout
    return float(match[1])


class Line(asyncio.Protocol):
    """One connection, one request at a time; `due` is the time that its request was meant for."""

    def __init__(self, load: Load) -> None:
        self.load, self.buffer, self.due = load, b"", 0.0
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.load.free(self)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = _LENGTH.search(head)
        if length and len(body) >= int(length[1]):
            self.buffer = b""
            self.load.answered(self, int(head[9:12]))

    def connection_lost(self, _: Exception | None) -> None:
        self.load.lost(self)


class Load:
    """Requests at their times, and what came of them."""

    def __init__(self, job: dict[str, Any]) -> None:
        at = urlsplit(job["url"])
        self.host, self.port = at.hostname, at.port
        body = job["body"].encode()
        headers = {"Host": at.netloc, "Content-Length": str(len(body)), **job["headers"]}
        head = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        self.request = f"POST {at.path} HTTP/1.1\r\n{head}\r\n".encode() + body
        self.rate, self.seconds = job["rate"], job["seconds"]
        self.idle: list[Line] = []
        self.waiting: deque[float] = deque()
        self.lines, self.late = 0, 0.0
        self.latencies: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.opening: set[asyncio.Task[Any]] = set()

    def send(self, due: float) -> None:
        if self.idle:
            line = self.idle.pop()
            line.due = due
            line.transport.write(self.request)
            return
        self.waiting.append(due)
        if self.lines < MOST_LINES:
            self.open()

    def open(self) -> None:
        self.lines += 1
        connection = asyncio.get_running_loop().create_connection(
            lambda: Line(self), self.host, self.port
        )
        task = asyncio.ensure_future(connection)
        self.opening.add(task)
        task.add_done_callback(self.opening.discard)

    def free(self, line: Line) -> None:
        self.idle.append(line)
        if self.waiting:
            self.send(self.waiting.popleft())

    def answered(self, line: Line, status: int) -> None:
        self.latencies.append(time.perf_counter() - line.due)
        self.statuses[status] += 1
        self.free(line)

    def lost(self, line: Line) -> None:
        self.lines -= 1
        if line in self.idle:
            self.idle.remove(line)
        else:
            self.statuses[0] += 1

    async def run(self) -> dict[str, Any]:
        for _ in range(FIRST_LINES):
            self.open()
        await asyncio.gather(*self.opening)
        gaps = random.Random(SEED)
        began = time.perf_counter()
        due, sent, end = began, 0, began + self.seconds
        while (due := due + gaps.expovariate(self.rate)) < end:
            # It turns rather than sleeps: a timer is late by up to a millisecond.
            while (now := time.perf_counter()) < due:
                await asyncio.sleep(0)
            self.late = max(self.late, now - due)
            self.send(due)
            sent += 1
        while sum(self.statuses.values()) < sent and time.perf_counter() < end + DRAIN_SECONDS:
            await asyncio.sleep(0.01)
        self.statuses[0] += sent - sum(self.statuses.values())
        return self.facts(sent)

    def facts(self, sent: int) -> dict[str, Any]:
        """Milliseconds; `sender_late`: how late the generator itself was, at most."""
        ordered = sorted(self.latencies)

        def at(share: float) -> float:
            return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000, 3)

        return {
            "rate": round(self.rate, 1),
            "sent": sent,
            "failed": sent - self.statuses[200],
            "p50_ms": at(0.5),
            "p99_ms": at(0.99),
            "p999_ms": at(0.999),
            "worst_ms": round(ordered[-1] * 1000, 3),
            "sender_late_ms": round(self.late * 1000, 3),
        }


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text())
    gc.disable()
    print(json.dumps(asyncio.run(Load(job).run())))


if __name__ == "__main__":
    main()
