"""The rows of the event log against the ledger's entries of steps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from yupana.ledger.fault import Fault, Ground
from yupana.ledger.step_events import EVENT_REFS, EVENTS, LOG, digest, references, row, whole

_CHUNK = 5000
_TABLE = "CREATE TABLE IF NOT EXISTS log (event INTEGER PRIMARY KEY, before, sha256)"


class _Difference(Exception):  # noqa: N818 - it is a finding, not a fault of the program
    def __init__(self, what: str, message: str) -> None:
        super().__init__(message)
        self.what = what


class EventRows:
    """The rows, one after the other, up to the first that is not as recorded.

    Keeps what the ledger says of each row, and compares all of them at the end.
    """

    kinds = ("step",)

    def __init__(self, ground: Ground) -> None:
        self._connection, self._replay = ground.connection, ground.replay
        self._replay.execute(_TABLE)
        self._rows = _stored(ground.connection)
        self._number = 0

    def event(self, seq: int, kind: str, line: bytes) -> list[Fault]:
        event = json.loads(line)
        facts, before = event["facts"], None
        if event["subject"] == LOG and "before" in facts:
            facts = facts["before"]
            before = int(facts["lines"])
        self._replay.execute("INSERT INTO log VALUES (?, ?, ?)", (seq, before, facts["sha256"]))
        return []

    def _match(self, before: int | None, sha256: str) -> None:
        """Compare the next row, or those from before the ledger, with what the ledger says."""
        if before is not None:
            if whole([self._next() for _ in range(before)]) != sha256:
                raise _Difference("changed", f"the first {before} rows of the event log")
        elif digest(self._next()) != sha256:
            what = f"row {self._number} of the event log is not as recorded"
            raise _Difference("changed", what)

    def _next(self) -> bytes:
        self._number += 1
        stored = next(self._rows, None)
        if stored is None:
            what = f"the event log ends before row {self._number}"
            raise _Difference("truncated", what)
        columns, refs = stored
        body = columns["body"]
        try:
            event = json.loads(body)
            agrees = columns == row(self._number, event, body)
            agrees = agrees and refs == _keys(references(self._number, event))
        except (AttributeError, TypeError, ValueError):
            agrees = False
        if not agrees:
            what = f"row {self._number} of the event log is not as its text says, or as recorded"
            raise _Difference("changed", what)
        return str(body).encode()

    def finish(self, last: int) -> list[Fault]:
        for seq, before, sha256 in self._replay.execute("SELECT * FROM log ORDER BY event"):
            try:
                self._match(before, sha256)
            except _Difference as found:
                return [Fault(seq, found.what, EVENTS.name, str(self._number), str(found))]
        if (surplus := next(self._rows, None)) is not None:
            number = surplus[0]["seq"]
            what = f"row {number} of the event log was never recorded"
            return [Fault(0, "inserted", EVENTS.name, str(number), what)]
        beyond = sa.select(EVENT_REFS).where(EVENT_REFS.c.event > self._number).limit(1)
        if row := self._connection.execute(beyond).first():
            what = f"a reference of row {row.event} of the event log, which is not there"
            return [Fault(0, "inserted", EVENT_REFS.name, str(row.event), what)]
        return []


def _stored(
    connection: sa.Connection,
) -> Iterator[tuple[dict[str, Any], set[tuple[str, str]]]]:
    """Each row's columns, and its references as (role, reference)."""
    rows = sa.select(EVENTS).order_by(EVENTS.c.seq)
    refs = sa.select(EVENT_REFS).order_by(EVENT_REFS.c.event)
    options = {"yield_per": _CHUNK}
    stream = connection.execute(refs, execution_options=options)
    reference = next(stream, None)
    for columns in connection.execute(rows, execution_options=options).mappings():
        own = set()
        while reference and reference.event <= columns["seq"]:
            own.add((reference.role, reference.ref))
            reference = next(stream, None)
        yield dict(columns), own


def _keys(rows: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(one["role"], one["ref"]) for one in rows}
