"""What a check of the platform's records finds beside the chain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa


@dataclass(frozen=True)
class Fault:
    """One thing that is not as it was recorded.

    Attributes:
        event: the ledger's event that vouches for it; 0 where none does.
        what: changed, deleted, inserted, truncated, rolled back, or clock.
        place: the table, or the file.
        key: which row of it, as the ledger names it.
        message: a sentence.
    """

    event: int
    what: str
    place: str
    key: str
    message: str

    def __str__(self) -> str:
        where = f"{self.place} {self.key}".rstrip()
        return f"{self.what}: {where} (event {self.event}): {self.message}"


class Check(Protocol):
    """Compares records with the ledger's events while these go by, oldest first."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Of the events that it looks at."""

    def event(self, seq: int, kind: str, line: bytes) -> list[Fault]:
        """Look at what an event tells of.

        Args:
            line: the event's text; it may be none any more.
        """

    def finish(self, last: int) -> list[Fault]:
        """What no event tells of, or is missing at the end; `last` is the newest event."""


Begin = Callable[[sa.Connection], Check]
"""Begins a check on a snapshot of the platform database (`entries.snapshot`)."""
