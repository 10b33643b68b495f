"""The event log: one JSON line a step, with references in and out."""

from __future__ import annotations

import fcntl
import json
import os
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from yupana.config.settings import Settings, asked_by
from yupana.core.errors import TerminalError, UsageError
from yupana.core.hashing import files_sha256
from yupana.governance import lineage_bell
from yupana.governance.ledger import step_events

Event = dict[str, Any]


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
) -> str:
    """Record one event durably, in the ledger and then as a line of the log; return its id.

    The ledger keeps the line's hash, so that a changed line is found. All is done under a lock on
    the log: two processes never mix lines, and what a killed one left half done is finished by
    the next (`events.pending` holds the line meanwhile).

    Args:
        event_id: where it was needed before (32 hexadecimal digits); default: a new one.

    Raises:
        TransientError: the platform database is away; nothing was recorded.
    """
    event = {
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
    if asked := asked_by():
        event["asked_by"] = asked
    line = json.dumps(event, ensure_ascii=False, default=str).encode() + b"\n"
    waiting = settings.events.with_suffix(".pending")
    settings.events.parent.mkdir(parents=True, exist_ok=True)
    with settings.events.open("a+b") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        if waiting.exists():
            _finish(settings, stream, waiting.read_bytes())
        with waiting.open("wb") as aside:
            _synced(aside, line)
        step_events.append(settings, event, line, stream)
        _synced(stream, line)
        waiting.unlink()
    lineage_bell.ring(settings)
    return str(event["id"])


def _finish(settings: Settings, stream: IO[bytes], line: bytes) -> None:
    """Write the line that a killed process had put aside, if the ledger has its event."""
    if not step_events.has(settings, line):
        return
    kept = max(stream.seek(0, os.SEEK_END) - len(line), 0)
    stream.seek(kept)
    end = stream.read()
    if end == line:
        return
    torn = end[end.rfind(b"\n") + 1 :]
    if line.startswith(torn):
        stream.truncate(kept + len(end) - len(torn))
    _synced(stream, line)


def _synced(stream: IO[bytes], data: bytes) -> None:
    stream.write(data)
    stream.flush()
    os.fsync(stream.fileno())


def read(path: Path) -> Iterator[Event]:
    """All events, oldest first.

    Raises:
        TerminalError: a line is not JSON; names the line.
    """
    if not path.exists():
        return
    with path.open(encoding="utf-8") as stream:
        for number, line in enumerate(stream, 1):
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                raise TerminalError(
                    "The event log has a line that is not JSON.",
                    where=f"{path}, line {number}",
                    fix="If it is the last line, a crash tore it: delete that line.",
                ) from error


def last_done(
    path: Path,
    step: str,
    subject: str,
    match: Callable[[Event], bool] = lambda event: True,
) -> Event | None:
    """The newest success of a step on a subject, among those that `match`."""
    wanted = (step, subject, "done")
    found = None
    for event in read(path):
        if (event["step"], event["subject"], event["status"]) == wanted and match(event):
            found = event
    return found


def output(path: Path, step: str, subject: str, of: str = "") -> str:
    """First output of a step's newest success, optionally the one that read the reference `of`.

    Raises:
        TerminalError: the step was never done on this subject; says the command.
    """
    event = last_done(path, step, subject, lambda e: not of or of in e["inputs"])
    if event is None:
        raise TerminalError(
            f"'{step}' was never done for '{subject}'{' on ' + of if of else ''}.",
            where=str(path),
            fix=f"Run `yupana {step} {subject}` first, or `make run` for everything.",
        )
    return str(event["outputs"][0])


def champion(path: Path, use_case: str) -> str:
    """Reference of the model that was last registered as champion, or promoted to it.

    Raises:
        TerminalError: no model was good enough yet.
    """
    found = None
    for event in read(path):
        made = (event["status"], event["subject"]) == ("done", use_case)
        if made and event["step"] in ("register", "promote"):
            found = event if event["facts"]["alias"] == "champion" else found
    if found is None:
        raise TerminalError(
            f"'{use_case}' has no champion.",
            where=str(path),
            fix=f"Run `yupana train {use_case}`; if it ran, `yupana models list {use_case}` says "
            "why none is: no candidate beat the baselines, or the gate did not admit it.",
        )
    return str(found["outputs"][0])


def producer(path: Path, ref: str) -> Event:
    """The newest successful event that has `ref` among its outputs.

    Raises:
        UsageError: no step made such a thing.
    """
    found = None
    for event in read(path):
        if event["status"] == "done" and ref in event["outputs"]:
            found = event
    if found is None:
        raise UsageError(
            f"No step made '{ref}'.",
            where=str(path),
            fix="Take a reference from a step's output, or a prediction_id from an answer.",
        )
    return found


@lru_cache(maxsize=8)
def code_hash(root: Path, *rooms: str) -> str:
    """Hash of the Python code in some rooms: part of what a step's result depends on."""
    return files_sha256(p for room in rooms for p in (root / room).rglob("*.py"))[:16]
