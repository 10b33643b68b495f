"""The keys as they are against the events of who made and ended them.

Who owns the database can append to the ledger, too, and so a `rows` event that fits the row that
he wrote. What a key opens is therefore also compared with the event of its making, which names a
person: to raise a key, or to add one, he has to leave such an event, and events stay.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from yupana.identity.api_keys import KEYS
from yupana.ledger import vouched
from yupana.ledger.fault import Fault, Ground

_KIND, _PREFIX = "key", "key:"
_TABLE = (
    "CREATE TABLE IF NOT EXISTS key_events (key PRIMARY KEY, facts, event, revoked) WITHOUT ROWID"
)
_FIRST_ROWS = ""
"""Stands for a key once the first `rows` event was seen."""


class KeyCheck:
    """Keeps what each key's events say; at the end, compares it with the table."""

    kinds = (_KIND, vouched.KIND)

    def __init__(self, ground: Ground) -> None:
        self._connection, self._state = ground.connection, ground.replay
        self._state.execute(_TABLE)

    def event(self, seq: int, kind: str, line: bytes) -> list[Fault]:
        if kind == vouched.KIND:
            if not self._add(_FIRST_ROWS, {}, seq):
                return []
            # Keys from before there was such an event are believed once.
            event = json.loads(line)
            rows = event["facts"].get(KEYS.name, [])
            for key, *_ in rows if event["subject"] == vouched.BASELINE else []:
                self._add(key, {}, seq)
            return []
        event = json.loads(line)
        key, facts = event["subject"].removeprefix(_PREFIX), event["facts"]
        if key == event["subject"]:
            return []
        if facts["what"] == "create" and not self._add(key, facts, seq):
            return [Fault(seq, "changed", KEYS.name, key, "this event makes the key once more")]
        if facts["what"] == "revoke":
            self._state.execute("UPDATE key_events SET revoked = ? WHERE key = ?", [seq, key])
        return []

    def _add(self, key: str, facts: dict[str, Any], seq: int) -> bool:
        """Whether it was not there."""
        query = "INSERT OR IGNORE INTO key_events VALUES (?, ?, ?, NULL)"
        return self._state.execute(query, [key, json.dumps(facts), seq]).rowcount == 1

    def finish(self, last: int) -> list[Fault]:
        events = {
            key: (json.loads(facts), seq, revoked)
            for key, facts, seq, revoked in self._state.execute("SELECT * FROM key_events")
        }
        faults = []
        # Raw values: one that was tampered with may not be of its column's type.
        raw = [sa.type_coerce(c, sa.types.NullType()).label(c.name) for c in KEYS.c]
        for values in self._connection.execute(sa.select(*raw)):
            row = {c.name: vouched.plain(v, c.type) for c, v in zip(KEYS.c, values, strict=True)}
            facts, seq, revoked = events.pop(row["id"], ({}, 0, None))
            for message in _differences(row, facts, seq, revoked):
                what = "changed" if seq else "inserted"
                faults.append(Fault(revoked or seq, what, KEYS.name, row["id"], message))
        events.pop(_FIRST_ROWS, None)
        return faults + [
            Fault(seq, "deleted", KEYS.name, key, "the key is gone, and no command removes one")
            for key, (_, seq, _) in events.items()
        ]


def _differences(
    row: dict[str, Any], facts: dict[str, Any], seq: int, revoked: int | None
) -> Iterator[str]:
    if not seq:
        yield "no event tells who made this key"
    for name in ("role", "scopes", "quota", "rate", "expires"):
        if name in facts and facts[name] != row[name]:
            yield f"`{name}` is not that of the event that made it"
    if (row["revoked"] is None) != (revoked is None):
        yield "it was revoked" if revoked else "no event tells who revoked it"
