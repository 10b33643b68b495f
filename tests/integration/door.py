"""The key check called as a server calls it, without a server: requests as raw as an attacker's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from yupana.identity.oidc import Issuer
from yupana.serving.http.access import Access

Header = tuple[bytes, bytes]
FORECAST = "/v1/outbreak/forecast"


@dataclass
class Answer:
    """An answer; `headers` by their lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


async def _app(scope: Any, receive: Any, send: Any) -> None:
    """Says who asked."""
    caller = scope["state"]["caller"]
    body = {"id": caller.key_id, "agency": caller.agency, "role": caller.role}
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


class Door:
    """The key check before a small application, on a loop of its own."""

    def __init__(self, url: str, issuer: Issuer | None = None, app: Any = _app) -> None:
        self.access = Access(app, url, True, issuer)
        self.entry: Any = self.access
        """The outermost layer."""
        self._runner = asyncio.Runner()

    def ask(
        self, *headers: Header, path: str = FORECAST, body: bytes = b"", method: str = "POST"
    ) -> Answer:
        return self._runner.run(self._one(list(headers), path, body, method))

    def ask_at_once(self, requests: Iterable[Header]) -> list[Answer]:
        async def all_of_them() -> list[Answer]:
            return await asyncio.gather(*[self._one([h], FORECAST, b"", "POST") for h in requests])

        return self._runner.run(all_of_them())

    def close(self) -> None:
        self.access.writer.close()
        self._runner.close()

    async def _one(self, headers: list[Header], path: str, body: bytes, method: str) -> Answer:
        path, _, query = path.partition("?")
        if not any(name == b"host" for name, _ in headers):
            headers = [(b"host", b"a"), *headers]
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "scheme": "http", "path": path, "raw_path": path.encode("utf-8", "surrogatepass"),
            "query_string": query.encode(), "root_path": "", "headers": headers,
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": {},
        }  # fmt: skip
        messages: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            messages.append(message)

        await self.entry(scope, receive, send)
        told = {name.decode().lower(): value.decode() for name, value in messages[0]["headers"]}
        return Answer(messages[0]["status"], told, b"".join(m.get("body", b"") for m in messages))


def bearer(key: str | bytes) -> Header:
    return b"authorization", b"Bearer " + (key if isinstance(key, bytes) else key.encode("latin-1"))


def ask(door: Door, token: str) -> Answer:
    """What is answered to a token."""
    return door.ask(bearer(token))
