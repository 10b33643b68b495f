"""What a check of the platform's records finds beside the chain."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import sqlalchemy as sa

    from yupana.config.settings import Settings


@dataclass(frozen=True)
class Fault:
    """One thing that is not as it was recorded.

    Attributes:
        event: the ledger's event that vouches for it; 0 where none does.
        what: changed, deleted, inserted, truncated, rolled back, clock; of what a step leaves,
            changed, missing or unvouched (no step vouches for it).
        place: the table, or the reference of a table's version or file.
        key: which row of it, as the ledger names it; empty where the place says all.
        message: a sentence.
    """

    event: int
    what: str
    place: str
    key: str
    message: str

    def __str__(self) -> str:
        where = f"{self.place} {self.key}".rstrip()
        event = f" (event {self.event})" if self.event else ""
        return f"{self.what}: {where}{event}: {self.message}"


@dataclass(frozen=True)
class Ground:
    """What a check stands on.

    Attributes:
        connection: a snapshot of the platform database (`entries.snapshot`).
        replay: what the events say that went by, in an earlier check and in this one; each check
            has tables of its own there.
        whole: everything is read, not what is new alone.
    """

    settings: Settings
    connection: sa.Connection
    replay: sqlite3.Connection
    whole: bool = True


class Check(Protocol):
    """Compares records with the ledger's events while these go by, oldest first.

    An incremental check sees new events alone; what the earlier ones say is in the replay.
    """

    @property
    def kinds(self) -> tuple[str, ...]:
        """Of the events that it looks at; one that looks at none also tells of a broken chain."""

    def event(self, seq: int, kind: str, line: bytes) -> list[Fault]:
        """Look at what an event tells of.

        Args:
            line: the event's text; it may be none any more.
        """

    def finish(self, last: int) -> list[Fault]:
        """What no event tells of, or is missing at the end; `last` is the newest event."""


Begin = Callable[[Ground], Check]
"""Begins a check."""
