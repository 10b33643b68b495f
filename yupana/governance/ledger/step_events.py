"""Lines of the event log in the ledger: their hash and references, not their facts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING, Any

from yupana.config.settings import Settings

if TYPE_CHECKING:
    from yupana.governance.ledger.book import Entry

LOG = "events.jsonl"
"""Subject of the event that says what the log held before the ledger began."""

MOST_REFS = 20
"""References that an event names; the line's hash covers all of them."""


def append(settings: Settings, event: dict[str, Any], line: bytes, log: IO[bytes]) -> None:
    """Record the event of a line that is about to be written at the end of the log."""
    from yupana.governance.ledger import book

    told: dict[str, Any] = {k: event[k] for k in ("id", "step", "status")}
    for name in ("inputs", "outputs"):
        told[name] = event[name][:MOST_REFS]
        if len(event[name]) > MOST_REFS:
            told[f"{name}_in_all"] = len(event[name])
    told["sha256"] = digest(line)
    entries = [book.Entry("step", _subject(event), told)]
    if not book.has(settings.platform_db, "step"):
        entries = [*_before(log), *entries]
    book.append(settings, entries)


def has(settings: Settings, line: bytes) -> bool:
    """Whether the ledger has the event of a line that was put aside; none that was cut short."""
    from yupana.governance.ledger import book

    try:
        event = json.loads(line)
    except ValueError:
        return False
    # The log was locked: nothing came after it.
    newest = book.newest(settings.platform_db, "step", _subject(event))
    return newest is not None and newest.facts.get("sha256") == digest(line)


def digest(line: bytes) -> str:
    """SHA-256 of a line without its end."""
    return hashlib.sha256(line.rstrip(b"\n")).hexdigest()


def whole(lines: Iterable[bytes]) -> str:
    """SHA-256 of lines, each with its end."""
    found = hashlib.sha256()
    for line in lines:
        found.update(line + b"\n")
    return found.hexdigest()


def _subject(event: dict[str, Any]) -> str:
    return str(event["subject"])[:200] or str(event["step"])


def _before(log: IO[bytes]) -> list[Entry]:
    """What the log held before its first event in the ledger, if anything."""
    from yupana.governance.ledger.book import Entry

    log.seek(0)
    lines = [line.rstrip(b"\n") for line in log]
    facts = {"lines": len(lines), "sha256": whole(lines)}
    return [Entry("step", LOG, {"before": facts})] if lines else []
