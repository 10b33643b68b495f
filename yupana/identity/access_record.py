"""Access to personal data, recorded before the data is given: who, to what, and why."""

from __future__ import annotations

from typing import Any

from yupana.config.settings import Settings
from yupana.identity import actors
from yupana.ledger import entries, pseudonyms, writer


def note(settings: Settings, what: str, subject: str, **facts: Any) -> None:
    """Record that this process's user gets at personal data.

    Args:
        what: `name` (who is behind a pseudonym), `file` (a published file with personal columns)
            or `quarantine` (lines of an agency's file).
        subject: the reference of what is read, without personal data.
    """
    actor = pseudonyms.pseudonym(settings, actors.here()[0])
    writer.append(settings, [entries.Entry("access", subject, {"what": what, **facts}, actor)])
