"""Appending to the ledger: the transaction, and what comes after it (roots, witness)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.ledger import entries, roots, witness
from yupana.ledger.entries import Entry, Sealed


def append(
    settings: Settings, additions: Sequence[Entry], *, now: datetime | None = None
) -> list[Sealed]:
    """Record events in a transaction of their own, and leave a checkpoint with the witness.

    The first that is recorded on a day also signs the root of the days before.

    Raises:
        TerminalError: an entry that the ledger does not take; nothing was recorded.
        TransientError: the platform database is away; nothing was recorded.
    """
    when = now or datetime.now(UTC)
    with transaction(settings, when) as connection:
        return entries.write(connection, additions, when)


@contextmanager
def transaction(settings: Settings, now: datetime) -> Iterator[sa.Connection]:
    """A transaction in which events and what they tell of are written together.

    No one else appends until it ends; after it, the days that are over are signed and the witness
    gets a checkpoint.
    """
    with entries.transaction(settings, now) as connection:
        yield connection
    roots.close(settings, now)
    witness.leave(settings)
