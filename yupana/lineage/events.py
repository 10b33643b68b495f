"""The event log: one event a step, with references in and out, in the platform database."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from yupana.config import parent_run
from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.core.hashing import files_sha256
from yupana.database import reading
from yupana.lineage import contents, openlineage_queue
from yupana.webhooks.notice import Notice

Event = dict[str, Any]

WHERE = "event log (platform database)"
"""Where an error is that the log shows."""

EXPORT = "events.jsonl"
"""How the whole log is called as a file: `yupana events export`."""

_CHUNK = 500

_DONE = (
    "SELECT body FROM events WHERE step = :step AND subject = :subject AND status = 'done' "
    "ORDER BY seq DESC"
)
_MAKER = (
    "SELECT body FROM events WHERE seq = (SELECT max(seq) FROM events "
    "JOIN event_refs ON event = seq WHERE ref = :ref AND role = 'output' AND status = 'done')"
)

_REFS = "SELECT DISTINCT ref FROM event_refs WHERE ref LIKE :kind"


def append(
    settings: Settings,
    step: str,
    subject: str,
    *,
    status: str,
    inputs: tuple[str, ...] = (),
    outputs: tuple[str, ...] = (),
    key: str = "",
    seconds: float = 0.0,
    facts: dict[str, Any] | None = None,
    event_id: str = "",
    files: Iterable[Path] = (),
    notices: Sequence[Notice] = (),
) -> str:
    """Record one event durably, in the log and in the ledger, both or neither; return its id.

    The ledger keeps the hash of the event's text, so that a changed one is found. The text holds
    the hash of each table version among the outputs, and of each file: see `contents`.

    Args:
        files: files, or folders of files, that the step wrote and that are shown or read.
        event_id: where it was needed before (32 hexadecimal digits); default: a new one.
        notices: what webhooks are told of it; put aside in the same transaction.

    Raises:
        ContentError: a table was changed beside its steps; nothing was recorded.
        TransientError: the platform database is away; nothing was recorded.
    """
    # It takes longer to import than most commands need to read the log.
    from yupana.ledger import step_events
    from yupana.webhooks import outbox

    hashes = contents.content(settings, outputs, files) if status == "done" else {}
    event: Event = {
        "id": event_id or uuid.uuid4().hex,
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "step": step,
        "subject": subject,
        "status": status,
        "inputs": list(inputs),
        "outputs": list(outputs),
        "key": key,
        "seconds": round(seconds, 3),
        "facts": facts or {},
    }
    if hashes:
        event["content"] = hashes
    if parent := parent_run.parent():
        event["asked_by"] = parent
    step_events.append(
        settings, event, json.dumps(event, ensure_ascii=False, default=str),
        lambda connection, now: outbox.put(connection, notices, event["id"], now),
    )  # fmt: skip
    openlineage_queue.ring(settings)
    return str(event["id"])


def numbered(url: str, *, after: int = 0, since: str = "") -> Iterator[tuple[int, str]]:
    """Number and text of each event, oldest first; they are numbered from 1 without gaps.

    Nothing is held open meanwhile: who sends them on may wait long between two.

    Args:
        url: `Settings.events`.
        after: the number after which to begin.
        since: the day or time (ISO 8601, UTC) from which on; empty: all.
    """
    query = (
        "SELECT seq, body FROM events WHERE seq > :after AND time >= :since ORDER BY seq "
        f"LIMIT {_CHUNK}"
    )
    while chunk := list(reading.rows(url, query, {"after": after, "since": since})):
        yield from chunk
        after = chunk[-1][0]


def last_number(url: str) -> int:
    """How many events there are."""
    return int(next(reading.rows(url, "SELECT max(seq) FROM events"), (0,))[0] or 0)


def sha256(url: str) -> str:
    """SHA-256 of the whole log as `yupana events export` writes it."""
    total = hashlib.sha256()
    for _, body in numbered(url):
        total.update(body.encode() + b"\n")
    return total.hexdigest()


def read(url: str, *steps: str) -> Iterator[Event]:
    """All events, or those of some steps, oldest first."""
    names = {f"step{n}": step for n, step in enumerate(steps)}
    among = f"WHERE step IN ({', '.join(f':{name}' for name in names)})" if names else ""
    for (body,) in reading.rows(url, f"SELECT body FROM events {among} ORDER BY seq", names):
        yield json.loads(body)


def done(url: str, step: str, subject: str) -> Iterator[Event]:
    """Successes of a step on a subject, newest first."""
    for (body,) in reading.rows(url, _DONE, {"step": step, "subject": subject}):
        yield json.loads(body)


def newest(url: str, *steps: str, done: bool = False) -> Iterator[tuple[int, Event]]:
    """Number and event of the newest run of each step on each subject, oldest first.

    Args:
        steps: those that count; default: all.
        done: whether only successes count.
    """
    names = {f"step{n}": step for n, step in enumerate(steps)}
    asks = [f"step IN ({', '.join(f':{name}' for name in names)})"] * bool(names)
    asks += ["status = 'done'"] * done
    where = f"WHERE {' AND '.join(asks)}" if asks else ""
    query = (
        "SELECT seq, body FROM events WHERE seq IN "
        f"(SELECT max(seq) FROM events {where} GROUP BY step, subject) ORDER BY seq"
    )
    for number, body in reading.rows(url, query, names):
        yield number, json.loads(body)


def last_done(
    url: str,
    step: str,
    subject: str,
    match: Callable[[Event], bool] = lambda event: True,
) -> Event | None:
    """The newest success of a step on a subject, among those that `match`."""
    return next(filter(match, done(url, step, subject)), None)


def output(url: str, step: str, subject: str, of: str = "") -> str:
    """First output of a step's newest success, optionally the one that read the reference `of`.

    Raises:
        TerminalError: the step was never done on this subject; says the command.
    """
    event = last_done(url, step, subject, lambda e: not of or of in e["inputs"])
    if event is None:
        raise TerminalError(
            f"'{step}' was never done for '{subject}'{' on ' + of if of else ''}.",
            where=WHERE,
            fix=f"Run `yupana {step} {subject}` first, or `make run` for everything.",
        )
    return str(event["outputs"][0])


def maker(url: str, ref: str) -> Event | None:
    """The newest successful event that has `ref` among its outputs; None where there is none."""
    row = next(reading.rows(url, _MAKER, {"ref": ref}), None)
    return json.loads(row[0]) if row else None


def producer(url: str, ref: str) -> Event:
    """As `maker`.

    Raises:
        UsageError: no step made such a thing.
    """
    event = maker(url, ref)
    if event is None:
        raise UsageError(
            f"No step made '{ref}'.",
            where=WHERE,
            fix="Take a reference from a step's output, or a prediction_id from an answer.",
        )
    return event


def references(url: str, kind: str) -> Iterator[str]:
    """Each reference of a kind (`delta:`) that an event of any status read, made or vouches for."""
    return (ref for (ref,) in reading.rows(url, _REFS, {"kind": f"{kind}%"}))


@lru_cache(maxsize=8)
def code_hash(root: Path, *rooms: str) -> str:
    """Hash of the Python code in some rooms: part of what a step's result depends on."""
    return files_sha256(p for room in rooms for p in (root / room).rglob("*.py"))[:16]
