"""The successful events of the log by the references that they made or read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

from yupana.database import reading
from yupana.lineage import events
from yupana.lineage.events import Event

_NAMED = (
    "SELECT 1 FROM event_refs JOIN events ON seq = event WHERE ref = :ref AND status = 'done' "
    "LIMIT 1"
)
_DONE = "SELECT step, body FROM events WHERE status = 'done' ORDER BY seq"


class Edge(NamedTuple):
    """A successful event: its step, references in and references out."""

    step: str
    inputs: list[str]
    outputs: list[str]


class Index:
    """What a walk asks of the log; an event is read once.

    Args:
        url: `Settings.events`.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._makers: dict[str, Event | None] = {}
        self._steps: dict[tuple[str, ...], list[Event]] = {}

    def made_by(self, ref: str) -> Event | None:
        """The newest successful event with `ref` among its outputs; None where there is none."""
        if ref not in self._makers:
            self._makers[ref] = events.maker(self._url, ref)
        return self._makers[ref]

    def has(self, ref: str) -> bool:
        """Whether a successful event made or read it."""
        return next(reading.rows(self._url, _NAMED, {"ref": ref}), None) is not None

    def newest(self, many: int) -> list[str]:
        """The references that were made last, oldest first."""
        refs: dict[str, None] = {}
        for _, body in reading.rows(self._url, f"{_DONE} DESC"):
            refs.update(dict.fromkeys(reversed(json.loads(body)["outputs"])))
            if len(refs) >= many:
                break
        return list(refs)[:many][::-1]

    def steps(self, *names: str) -> list[Event]:
        """The successful events of some steps, oldest first."""
        if names not in self._steps:
            log = events.read(self._url, *names)
            self._steps[names] = [event for event in log if event["status"] == "done"]
        return self._steps[names]

    def edges(self) -> Iterator[Edge]:
        """Each successful event, oldest first."""
        for step, body in reading.rows(self._url, _DONE):
            event = json.loads(body)
            yield Edge(step, event["inputs"], event["outputs"])
