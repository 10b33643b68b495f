"""Access to personal data, recorded before the data is given: who, to what, and why."""

from __future__ import annotations

from typing import Any

from yupana.config.settings import Settings
from yupana.governance import acting, people
from yupana.governance.ledger import book


def note(settings: Settings, what: str, subject: str, **facts: Any) -> None:
    """Record that this process's user gets at personal data.

    Args:
        what: `name` (who is behind a pseudonym), `file` (a published file with personal columns)
            or `quarantine` (lines of an agency's file).
        subject: the reference of what is read, without personal data.
    """
    actor = people.pseudonym(settings, acting.here()[0])
    book.append(settings, [book.Entry("access", subject, {"what": what, **facts}, actor)])
