"""A web server for tests, on this machine: files with versions, faults on demand, API replies."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

Fault = Callable[["Handler"], bool]


@dataclass
class File:
    body: bytes
    etag: str = ""
    modified: str = ""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Site:
    """What the server holds (`files` by path), does wrong, and was asked.

    `faults` are used up one a request: each may answer itself (True), or let the file be served.
    `api` answers a path with its query, or None.
    """

    url: str = ""
    files: dict[str, File] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    api: Callable[[str], tuple[int, bytes] | None] = lambda target: None

    def headers(self, name: str) -> list[str]:
        """One header of every request, in order; empty where it was not sent."""
        return [sent.get(name.lower(), "") for _, sent in self.asked]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    site: Site

    def do_GET(self) -> None:
        self.site.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
        if self.site.faults and self.site.faults.pop(0)(self):
            return
        answer = self.site.api(self.path)
        if answer:
            self.reply(answer[0], answer[1], {"Content-Type": "application/json"})
            return
        file = self.site.files.get(unquote(self.path.partition("?")[0]))
        if file is None:
            self.reply(404, b"<html>no such page</html>")
        else:
            self.serve(file)

    def serve(self, file: File, cut: int | None = None) -> None:
        """The file, its rest, or 304; with `cut`, the connection breaks after that many bytes."""
        headers = dict(file.headers)
        if file.etag:
            headers["ETag"] = file.etag
        if file.modified:
            headers["Last-Modified"] = file.modified
        validators = {file.etag, file.modified} - {""}
        if self.headers.get("If-None-Match", self.headers.get("If-Modified-Since")) in validators:
            self.reply(304, b"", headers)
            return
        span = self.headers.get("Range", "")
        if span and self.headers.get("If-Range") in validators:
            start = int(span.removeprefix("bytes=").rstrip("-"))
            headers["Content-Range"] = f"bytes {start}-{len(file.body) - 1}/{len(file.body)}"
            self.reply(206, file.body[start:], headers, cut)
        else:
            self.reply(200, file.body, headers, cut)

    def reply(
        self,
        status: int,
        body: bytes,
        headers: dict[str, str] | None = None,
        cut: int | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:cut])
        if cut is not None:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        return None


def drop_after(count: int) -> Fault:
    """Break the connection once `count` bytes of the answer were sent."""

    def fault(handler: Handler) -> bool:
        handler.serve(handler.site.files[unquote(handler.path)], cut=count)
        return True

    return fault


def answer(status: int, body: bytes = b"", **headers: str) -> Fault:
    """Answer with a status, whatever was asked; `Retry_After` becomes `Retry-After`."""

    def fault(handler: Handler) -> bool:
        handler.reply(status, body, {k.replace("_", "-"): v for k, v in headers.items()})
        return True

    return fault


def first(change: Callable[[Site], None]) -> Fault:
    """Change the site, then serve as usual."""

    def fault(handler: Handler) -> bool:
        change(handler.site)
        return False

    return fault


@contextmanager
def serving() -> Iterator[Site]:
    site = Site()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"site": site}))
    site.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
