"""A lineage server on the loopback: it keeps what it is sent, and can be away, slow or picky."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]


class LineageServer:
    """What was taken, in order, and how the next event is answered.

    Attributes:
        answer: the status for an event; it may wait, or end a process, before it tells.
    """

    def __init__(self) -> None:
        self.events: list[Json] = []
        self.keys: set[str] = set()
        self.answer: Callable[[Json], int] = lambda event: 201
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def states(self) -> list[tuple[str, str]]:
        """(run id, state) of each event taken."""
        return [(event["run"]["runId"], event["eventType"]) for event in self.events]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                event = json.loads(body)
                server.keys.add(self.headers.get("Authorization", ""))
                status = 404 if self.path != "/api/v1/lineage" else server.answer(event)
                if status < 300:
                    server.events.append(event)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                return

        return Handler

    def run(self) -> None:
        self._server.serve_forever(poll_interval=0.05)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def running() -> Iterator[LineageServer]:
    """A server for as long as the block runs."""
    server = LineageServer()
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()


Place = tuple[str, str, str]
"""Namespace, name and version of a data set."""


def place(dataset: Json) -> Place:
    """Where a data set of an event stands in the graph."""
    version = dataset.get("facets", {}).get("version", {}).get("datasetVersion", "")
    return dataset["namespace"], dataset["name"], version


def graph(events: list[Json]) -> dict[Place, set[Place]]:
    """What each version of a data set was made from, by the events alone, as Marquez has it."""
    links: dict[Place, set[Place]] = {}
    for event in events:
        if event["eventType"] == "COMPLETE":
            for output in event["outputs"]:
                read = {place(one) for one in event["inputs"]} - {place(output)}
                links.setdefault(place(output), set()).update(read)
    return links


def files_below(links: dict[Place, set[Place]], start: Place) -> set[str]:
    """SHA-256 of the source files that a version rests on."""
    places, waiting = {start}, [start]
    while waiting:
        for one in links.get(waiting.pop(), set()) - places:
            places.add(one)
            waiting.append(one)
    return {name.removeprefix("raw/") for _, name, _ in places if name.startswith("raw/")}
