"""All that `audit verify` looks at: the ledger, and each record that it vouches for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core.progress import Progress
from yupana.ledger import check
from yupana.ledger.check import Audit
from yupana.ledger.fault import Begin
from yupana.predictions.ledger_check import AnswerCheck

CHECKS: tuple[Begin, ...] = (AnswerCheck,)
"""What is compared with the ledger beside its own tables; a further check is added here."""


def verify(
    settings: Settings, progress: Progress, *, also: Iterable[Path] = (),
    roots: Iterable[Path] = (),
) -> Audit:  # fmt: skip
    """Check the ledger in use and all records that it vouches for, as `check.live`."""
    return check.live(settings, progress, also=also, roots=roots, checks=CHECKS)
