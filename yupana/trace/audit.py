"""All that `audit verify` looks at: the ledger, and each record that it vouches for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core.progress import Progress
from yupana.data.files import landing
from yupana.identity.key_check import KeyCheck
from yupana.ledger import check
from yupana.ledger.check import Audit
from yupana.ledger.fault import Begin, Fault, Ground
from yupana.lineage import contents
from yupana.predictions.ledger_check import AnswerCheck


class ContentCheck:
    """The newest version of each table of the lake, and each file, with what its step left; where
    everything is read, also each landed file, with the SHA-256 that it is addressed by."""

    kinds = ()

    def __init__(self, ground: Ground) -> None:
        self._settings, self._whole = ground.settings, ground.whole

    def event(self, seq: int, kind: str, line: bytes) -> list[Fault]:
        return []

    def finish(self, last: int) -> list[Fault]:
        landed = landing.faults(self._settings) if self._whole else ()
        return [*contents.faults(self._settings), *landed]


CHECKS: tuple[Begin, ...] = (AnswerCheck, KeyCheck, ContentCheck)
"""What is compared with the ledger beside its own tables; a further check is added here."""


def verify(
    settings: Settings, progress: Progress, *, also: Sequence[Path] = (),
    roots: Sequence[Path] = (), incremental: bool = False, now: datetime | None = None,
) -> Audit:  # fmt: skip
    """Check the ledger in use and all records that it vouches for, as `check.live`."""
    return check.live(
        settings, progress, also=also, roots=roots, checks=CHECKS, incremental=incremental, now=now
    )
