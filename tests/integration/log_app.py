"""A small service that answers with an id after the recorder took it, and its clients."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from yupana.config.settings import ROOT


@contextmanager
def serving(url: str, spool: Path, durable: bool) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Serve it in a process of its own; its port, and the process. Ended politely if it lives."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, __file__, url, str(spool), str(int(durable)), str(port)]
    child = subprocess.Popen(command, cwd=ROOT)
    try:
        end = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert time.monotonic() < end and child.poll() is None, "it does not start"
            time.sleep(0.02)
        yield port, child
    finally:
        child.terminate()
        child.wait(timeout=20)


async def clients(
    port: int, many: int, seconds: float, answered: threading.Event | None = None
) -> tuple[list[str], int, float]:
    """Ask by many connections at once: ids received, refusals (503), the longest wait (s).

    An id counts when its whole answer was received. A connection that breaks ends its client.
    `answered` is set by the first one.
    """
    ids: list[str] = []
    refused, longest = 0, 0.0
    end = time.monotonic() + seconds

    async def one() -> None:
        nonlocal refused, longest
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                while time.monotonic() < end:
                    start = time.monotonic()
                    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                    head = await reader.readuntil(b"\r\n\r\n")
                    size = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
                    body = await reader.readexactly(size)
                    longest = max(longest, time.monotonic() - start)
                    if b" 200 " in head.split(b"\r\n")[0]:
                        ids.append(json.loads(body)["prediction_id"])
                        if answered:
                            answered.set()
                    else:
                        refused += 1
                        await asyncio.sleep(0.05)
            finally:
                writer.close()

    await asyncio.gather(*(one() for _ in range(many)))
    return ids, refused, longest


def app(url: str, spool: Path, durable: bool) -> Any:
    """The ASGI application."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from answers import prediction, record

    from yupana.config.settings import Settings
    from yupana.ledger import witness
    from yupana.predictions.recorder import LogAwayError, Recorder

    own = Settings(home=spool.parent, platform_url=url)
    seen = partial(witness.leave, own)
    recorder = Recorder(url, durable=durable, spool=spool, witness=seen)
    forecasts = [prediction(f"16{n:04}") for n in range(50)]
    turn = 0

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        nonlocal turn
        if scope["type"] == "lifespan":
            while True:
                kind = (await receive())["type"]
                if kind == "lifespan.shutdown":
                    recorder.close()
                await send({"type": f"{kind}.complete"})
                if kind == "lifespan.shutdown":
                    return
        turn += 1
        one = record(forecasts[turn % len(forecasts)], time=time.time())
        status, said = 200, {"prediction_id": one.prediction_id}
        try:
            await recorder.record([one])
        except LogAwayError:
            status, said = 503, {}
        body = json.dumps(said).encode()
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer


if __name__ == "__main__":
    import uvicorn

    url, spool, durable, port = sys.argv[1:]
    made = app(url, Path(spool), durable == "1")
    uvicorn.run(made, port=int(port), log_level="error", access_log=False)
