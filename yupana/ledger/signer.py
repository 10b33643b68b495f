"""The ledger's one signer, where those who append to it have no key: `yupana audit sign`.

It reads and appends as a role of the database that can do no more, and serves nothing: whoever
takes over a service has no key to sign a forged history with.
"""

from __future__ import annotations

import hashlib
import threading
from datetime import UTC, datetime

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, TransientError
from yupana.core.progress import Progress
from yupana.ledger import entries, roots, signing, witness
from yupana.ledger.table import LEDGER

EVERY_SECONDS = 1.0


def follow(settings: Settings, stop: threading.Event, progress: Progress) -> None:
    """Sign each new head of the ledger within a second, and the days that are over, until `stop`.

    While the database is away it waits, and says so once.

    Raises:
        TerminalError: this process has no key, or what was signed before is not in the ledger.
    """
    signing.demand(settings)
    away = False
    while not stop.is_set():
        try:
            sign(settings, datetime.now(UTC))
            away = False
        except TransientError as error:
            if not away:
                progress.say(f"waiting: {error.what}")
            away = True
        stop.wait(EVERY_SECONDS)


def sign(settings: Settings, now: datetime) -> None:
    """Sign the days that are over and the present head, once.

    Raises:
        TerminalError: what was signed before is not in the ledger any more: a signature now would
            vouch for a history that was cut off or written anew.
        TransientError: the database is away.
    """
    for path in witness.files(settings):
        mark = witness.last_checkpoint(path)
        if mark and _hash(settings.platform_db, int(mark["seq"])) != mark["head"]:
            raise TerminalError(
                f"Event {mark['seq']}, which was signed on {mark['time']}, is gone or another.",
                where=str(path),
                fix="Nothing more is signed. `yupana audit verify` says what was done; where the "
                "database was put back from a back-up, keep this file and begin another.",
            )
    roots.close(settings, now)
    witness.leave(settings)


def _hash(url: str, seq: int) -> str:
    query = sa.select(LEDGER.c.line).where(LEDGER.c.seq == seq)
    with entries.reached(url) as connection:
        line = connection.scalar(query)
    return hashlib.sha256(line.encode()).hexdigest() if line else ""
