"""A small ASGI application behind the key check, for tests: URL, port, settings by argument."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from yupana.config.settings import ROOT


async def forecast(scope: Any, receive: Any, send: Any) -> None:
    """Says who asked; fails where it is told to; names a model and two districts."""
    if scope["type"] == "lifespan":
        while True:
            kind = (await receive())["type"]
            await send({"type": f"{kind}.complete"})
            if kind == "lifespan.shutdown":
                return
    if b"fail" in scope["query_string"]:
        raise RuntimeError("the service broke")
    caller = scope.get("state", {}).get("caller")
    if caller:
        caller.model, caller.entities = "outbreak@3", ["160101", "160201"]
    body = {"agency": caller.agency if caller else None, "path": scope["path"]}
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


@contextmanager
def serving(url: str, port: int, require_keys: bool = True, stale: float = 10) -> Iterator[str]:
    """Serve it in a process of its own; ended politely, as a deployment ends it."""
    command = [sys.executable, __file__, url, str(port), str(int(require_keys)), str(stale)]
    child = subprocess.Popen(command, cwd=ROOT)
    try:
        end = time.monotonic() + 20
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=1)
                break
            except (urllib.error.URLError, OSError):
                assert time.monotonic() < end and child.poll() is None, "it does not start"
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        child.terminate()
        child.wait(timeout=20)


if __name__ == "__main__":
    import uvicorn

    from yupana.serving.http import access

    url, port, require, stale = sys.argv[1:]
    access.STALE_SECONDS = float(stale)
    app = access.Access(forecast, url, require_keys=require == "1")
    uvicorn.run(app, port=int(port), log_level="error", timeout_graceful_shutdown=5)
