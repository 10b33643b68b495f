"""Send the event log to those who read OpenLineage: in order, and each line at least once.

The log itself is the queue. For each receiver a small file says how far it came; a receiver that
is away keeps the rest waiting there. A line that was sent when the sender was killed is sent
again, under the same run ids.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from yupana.config.settings import Settings
from yupana.core.errors import TransientError
from yupana.core.locks import if_free, one_at_a_time
from yupana.core.progress import Progress
from yupana.data.lineage import runs, targets
from yupana.data.lineage.targets import RefusedError, Target
from yupana.governance import lineage_bell

_MOST = 100
"""RefusedError events that are remembered by name; the count covers all."""


@dataclass
class Cursor:
    """How far a receiver was told.

    Attributes:
        offset: bytes of the event log.
        line: SHA-256 of the last line before it: another log (a restored one) is told anew.
        lines: how many were sent; refused: events that the server will not have.
    """

    to: str
    offset: int = 0
    line: str = ""
    lines: int = 0
    refused: int = 0
    refused_ids: list[str] = field(default_factory=list)


def send(settings: Settings, progress: Progress) -> list[Cursor]:
    """Tell every receiver that is set what it was not told yet.

    Returns:
        How far each came; empty when another process is about to do the same.

    Raises:
        TransientError: a receiver is away; the others were told.
        UsageError: an address or key is wrong.
    """
    folder = lineage_bell.folder(settings)
    with if_free(lineage_bell.waiting(settings)) as mine:
        if not mine:
            return []
        with one_at_a_time(folder / "sending.lock", "another sender", progress):
            # From here on a new line may not be seen any more: let the next one wait for it.
            lineage_bell.waiting(settings).unlink(missing_ok=True)
            return _all(settings)


def _all(settings: Settings) -> list[Cursor]:
    away = lineage_bell.away(settings)
    trouble: TransientError | None = None
    told = []
    for target in targets.of_settings(settings):
        cursor = read(settings, target.shown)
        try:
            _rest(settings, target, cursor)
        except TransientError as error:
            trouble = error
        told.append(cursor)
    if trouble:
        away.touch()
        raise trouble
    away.unlink(missing_ok=True)
    return told


def _rest(settings: Settings, target: Target, cursor: Cursor) -> None:
    if not settings.events.exists():
        return
    with settings.events.open("rb") as log:
        if not _same(log, cursor):
            cursor.offset = 0
        log.seek(cursor.offset)
        for line in _lines(log):
            _tell(settings, target, cursor, line)
            cursor.offset += len(line)
            cursor.line, cursor.lines = hashlib.sha256(line).hexdigest(), cursor.lines + 1
            _write(settings, cursor)


def _tell(settings: Settings, target: Target, cursor: Cursor, line: bytes) -> None:
    event = json.loads(line)
    try:
        for one in runs.of_event(settings, event):
            target.take(one)
    except RefusedError:
        # It would be refused for ever, and hold back all that comes after it.
        cursor.refused += 1
        cursor.refused_ids = [*cursor.refused_ids, event["id"]][-_MOST:]


def _lines(log: IO[bytes]) -> Iterator[bytes]:
    """Whole lines; one that is being written belongs to the next time."""
    for line in log:
        if not line.endswith(b"\n"):
            return
        yield line


def _same(log: IO[bytes], cursor: Cursor) -> bool:
    """Whether this is the log that the cursor was made on."""
    if not cursor.offset:
        return True
    # A line may be long: what stands before the offset is read back in growing parts.
    size = 1 << 12
    while True:
        start = max(0, cursor.offset - size)
        log.seek(start)
        part = log.read(cursor.offset - start)
        if not part.endswith(b"\n"):
            return False
        begin = part.rfind(b"\n", 0, -1)
        if begin >= 0 or not start:
            return hashlib.sha256(part[begin + 1 :]).hexdigest() == cursor.line
        size *= 4


def read(settings: Settings, to: str) -> Cursor:
    """How far a receiver was told; from the start where it never was."""
    path = _path(settings, to)
    return Cursor(**json.loads(path.read_text("utf-8"))) if path.exists() else Cursor(to)


def _write(settings: Settings, cursor: Cursor) -> None:
    path = _path(settings, cursor.to)
    aside = path.with_suffix(".new")
    aside.write_text(json.dumps(asdict(cursor), ensure_ascii=False), "utf-8")
    aside.replace(path)


def _path(settings: Settings, to: str) -> Path:
    name = hashlib.sha256(to.encode()).hexdigest()[:16]
    return lineage_bell.folder(settings) / f"{name}.json"


def export(settings: Settings, target: Target) -> Cursor:
    """Tell a receiver the whole log, whatever it was told before.

    Raises:
        TransientError: it is away.
    """
    cursor = Cursor(target.shown)
    if settings.events.exists():
        with settings.events.open("rb") as log:
            for line in _lines(log):
                _tell(settings, target, cursor, line)
                cursor.lines += 1
    return cursor
