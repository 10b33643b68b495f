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
from typing import Any

from yupana.core.errors import TerminalError, UsageError
from yupana.core.hashing import files_sha256

Event = dict[str, Any]


def append(
    path: Path,
    step: str,
    subject: str,
    *,
    status: str,
    inputs: tuple[str, ...] = (),
    outputs: tuple[str, ...] = (),
    key: str = "",
    seconds: float = 0.0,
    facts: dict[str, Any] | None = None,
) -> str:
    """Append one event durably and return its id.

    The line is written under a file lock and synced, so that two processes never mix lines
    and a crash leaves at most one torn last line, which `read` names.
    """
    event = {
        "id": uuid.uuid4().hex,
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
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(event, ensure_ascii=False, default=str) + "\n"
    with path.open("a", encoding="utf-8") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.write(line)
        stream.flush()
        os.fsync(stream.fileno())
    return str(event["id"])


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
            fix=f"Run `yupana train {use_case}`; if it ran, no candidate beat the baselines.",
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
