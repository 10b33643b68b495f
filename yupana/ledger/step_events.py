"""The event log: one row a step, in the transaction of the ledger's entry that vouches for it.

The ledger cannot hold a step's facts: nothing in it is ever erased, and facts may quote a value or
an agency. It holds the SHA-256 of the row's text, and the first references.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.database.engine import TABLES
from yupana.ledger import entries, writer
from yupana.ledger.entries import Entry

LOG = "events.jsonl"
"""Subject of the ledger's event that says what the log held before the ledger began."""

MOST_REFS = 20
"""References that the ledger's entry names; the row's hash covers all of them."""

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")

EVENTS = sa.Table(
    "events",
    TABLES,
    # Counted by the writer, in the ledger's order and without gaps.
    sa.Column("seq", _NUMBER, primary_key=True, autoincrement=False),
    # Said in the body too; here for the indexes.
    sa.Column("time", sa.String(40), nullable=False),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("status", sa.String(32), nullable=False),
    sa.Column("body", sa.Text, nullable=False, doc="the event as JSON; its bytes are vouched for"),
    sa.Index("events_by_step", "step", "subject", "seq"),
    sa.Index("events_by_time", "time"),
)
EVENT_REFS = sa.Table(
    "event_refs",
    TABLES,
    sa.Column("ref", sa.Text, primary_key=True),
    sa.Column("role", sa.String(6), primary_key=True, doc="input, output or file"),
    sa.Column("event", _NUMBER, primary_key=True, autoincrement=False, doc="events.seq"),
)

INPUT, OUTPUT, FILE = "input", "output", "file"

More = Callable[[sa.Connection, datetime], list[Entry]]
"""What is written in the transaction of an event; returns the ledger's entries on it."""


def append(
    settings: Settings, event: dict[str, Any], body: str, more: More = lambda *_: []
) -> None:
    """Record a step: its row in the log and its entry in the ledger, both or neither.

    Args:
        event: id, time, step, subject, status, inputs, outputs and more.
        body: its text, as it is stored.
        more: writes what must be there exactly if the event is.

    Raises:
        TransientError: the platform database is away; nothing was recorded.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    with writer.transaction(settings, now := datetime.now(UTC)) as connection:
        number = (connection.scalar(sa.select(sa.func.max(EVENTS.c.seq))) or 0) + 1
        entries.write(connection, [_entry(event, body), *more(connection, now)], now)
        connection.execute(sa.insert(EVENTS), [row(number, event, body)])
        if refs := references(number, event):
            connection.execute(sa.insert(EVENT_REFS), refs)


def row(number: int, event: dict[str, Any], body: str) -> dict[str, Any]:
    """The row of an event in `events`."""
    columns = {name: str(event.get(name, "")) for name in ("time", "step", "subject", "status")}
    return {"seq": number, **columns, "body": body}


def references(number: int, event: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of an event in `event_refs`: each reference once a role."""
    refs = [
        {"ref": ref, "role": role, "event": number}
        for role, name in ((INPUT, "inputs"), (OUTPUT, "outputs"))
        for ref in dict.fromkeys(event.get(name, ()))
    ]
    files = (ref for ref in event.get("content", ()) if ref not in event["outputs"])
    return refs + [{"ref": ref, "role": FILE, "event": number} for ref in files]


def digest(body: bytes) -> str:
    """SHA-256 of an event's text."""
    return hashlib.sha256(body).hexdigest()


def whole(bodies: Iterable[bytes]) -> str:
    """SHA-256 of the texts of events, a line each: that of an exported log."""
    total = hashlib.sha256()
    for body in bodies:
        total.update(body + b"\n")
    return total.hexdigest()


def _entry(event: dict[str, Any], body: str) -> Entry:
    facts: dict[str, Any] = {k: event[k] for k in ("id", "step", "status")}
    for name in ("inputs", "outputs"):
        facts[name] = event[name][:MOST_REFS]
        if len(event[name]) > MOST_REFS:
            facts[f"{name}_in_all"] = len(event[name])
    facts["sha256"] = digest(body.encode())
    return Entry("step", str(event["subject"])[:200] or str(event["step"]), facts)
