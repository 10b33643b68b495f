"""The end of the ledger that its signer has not signed yet, and since when.

Where those who append have no key (`YUPANA_SIGN_LEDGER=false`), nothing else stops while the
signer is away: an end that grows unsigned could be cut off or rewritten, and nobody would see it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.ledger import entries, signing, witness
from yupana.ledger.canonical import canonical
from yupana.ledger.table import LEDGER


@dataclass(frozen=True)
class Tail:
    """What is not signed.

    Attributes:
        events: how many; 0 where all are signed.
        since: time of the first of them (ISO 8601, UTC); empty where there is none.
        overdue: seconds that its signature has been due. A process that reads no checkpoint of
            the signer knows of the roots of days alone, which are due when the day is over.
        bound: seconds after which the signer is called absent.
    """

    events: int = 0
    since: str = ""
    overdue: float = 0.0
    bound: float = 0.0

    @property
    def is_late(self) -> bool:
        return self.events > 0 and self.overdue > self.bound

    def __str__(self) -> str:
        if not self.events:
            return "all is signed"
        late = "; the signer is absent: start `yupana audit sign`" if self.is_late else ""
        return f"the last {self.events:,} events are unsigned since {self.since}{late}"


def tail(settings: Settings, now: datetime, also: Sequence[Path] = ()) -> Tail:
    """What another process should have signed; nothing where this one signs what it appends.

    Args:
        also: more witness files than the platform's own.

    Raises:
        TerminalError: the ledger's public key is not there.
        TransientError: the platform database is away.
    """
    bound = settings.sign_within_minutes * 60.0
    head = entries.newest(settings.platform_db)
    if settings.sign_ledger or head is None:
        return Tail(bound=bound)
    checkpoint = _checkpoint(settings, [*witness.files(settings), *also])
    signed = max(checkpoint, _root(settings))
    first = _event(settings.platform_db, signed + 1)
    if first is None:
        return Tail(bound=bound)
    due = _moment(first["time"])
    if not checkpoint:
        # The signer closes a day once an event of a later one is there.
        is_over = first["time"][:10] < head.time[:10]
        midnight = due.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        due = midnight if is_over else now
    return Tail(head.seq - signed, first["time"], max((now - due).total_seconds(), 0.0), bound)


def _checkpoint(settings: Settings, files: Sequence[Path]) -> int:
    """The newest event that a signed checkpoint in some files covers; 0: none."""
    records = map(witness.last_record, files)
    return max((int(r["seq"]) for r in records if r and _is_signed(settings, r)), default=0)


def _root(settings: Settings) -> int:
    """The last event that a signed root covers; 0: none."""
    event = entries.newest(settings.platform_db, "root")
    if event is None or not _is_signed(settings, event.facts):
        return 0
    return int(event.facts["first"] + event.facts["events"] - 1)


def _is_signed(settings: Settings, record: dict[str, Any]) -> bool:
    """Whoever appends could leave a record that covers all; only the signer can sign it."""
    payload = {key: value for key, value in record.items() if key != "signature"}
    signature = str(record.get("signature", ""))
    return signing.check_signature(settings, canonical(payload).encode(), signature)


def _event(url: str, seq: int) -> dict[str, Any] | None:
    with entries.reached(url) as connection:
        line = connection.scalar(sa.select(LEDGER.c.line).where(LEDGER.c.seq == seq))
    return json.loads(line) if line else None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
