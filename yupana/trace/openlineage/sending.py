"""Send the event log to those who read OpenLineage: in order, and each line at least once.

The log itself is the queue. For each receiver a small file says how far it came; a receiver that
is away keeps the rest waiting there. A line that was sent when the sender was killed is sent
again, under the same run ids. `targets` hands events over by OpenLineage's own HTTP and file
transports; its composite, retrying and asynchronous ones keep what waits in memory, where an
outage or a killed step would lose it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core import whole_file
from yupana.core.errors import TransientError
from yupana.core.locks import if_free, one_at_a_time
from yupana.core.progress import Progress
from yupana.lineage import events, openlineage_queue
from yupana.trace.openlineage import runs, targets
from yupana.trace.openlineage.targets import RefusedError, Target

_MOST = 100
"""RefusedError events that are remembered by name; the count covers all."""


@dataclass
class Cursor:
    """How far a receiver was told.

    Attributes:
        event: number of the last event that it was told.
        line: SHA-256 of that one's text, as a line: another log (a restored one) is told anew.
        lines: how many were sent; refused: events that the server will not have.
    """

    to: str
    event: int = 0
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
    folder = openlineage_queue.folder(settings)
    with if_free(openlineage_queue.waiting(settings)) as mine:
        if not mine:
            return []
        with one_at_a_time(folder / "sending.lock", "another sender", progress):
            # From here on a new line may not be seen any more: let the next one wait for it.
            openlineage_queue.waiting(settings).unlink(missing_ok=True)
            return _all(settings)


def _all(settings: Settings) -> list[Cursor]:
    away = openlineage_queue.away(settings)
    trouble: TransientError | None = None
    cursors = []
    for target in targets.of_settings(settings):
        cursor = read(settings, target.label)
        try:
            _rest(settings, target, cursor)
        except TransientError as error:
            trouble = error
        cursors.append(cursor)
    if trouble:
        away.touch()
        raise trouble
    away.unlink(missing_ok=True)
    return cursors


def _rest(settings: Settings, target: Target, cursor: Cursor) -> None:
    if not _same(settings, cursor):
        cursor.event = 0
    for number, body in events.numbered(settings.events, after=cursor.event):
        _tell(settings, target, cursor, body)
        cursor.event, cursor.line, cursor.lines = number, _line(body), cursor.lines + 1
        whole_file.write_json(_path(settings, cursor.to), asdict(cursor))


def _tell(settings: Settings, target: Target, cursor: Cursor, body: str) -> None:
    event = json.loads(body)
    try:
        for one in runs.of_event(settings, event):
            target.take(one)
    except RefusedError:
        # It would be refused for ever, and hold back all that comes after it.
        cursor.refused += 1
        cursor.refused_ids = [*cursor.refused_ids, event["id"]][-_MOST:]


def _same(settings: Settings, cursor: Cursor) -> bool:
    """Whether this is the log that the cursor was made on."""
    if not cursor.event:
        return True
    _, body = next(events.numbered(settings.events, after=cursor.event - 1), (0, ""))
    return _line(body) == cursor.line


def _line(body: str) -> str:
    return hashlib.sha256(f"{body}\n".encode()).hexdigest()


def read(settings: Settings, to: str) -> Cursor:
    """How far a receiver was told; from the start where it never was."""
    path = _path(settings, to)
    if not path.exists():
        return Cursor(to)
    fields = json.loads(path.read_text("utf-8"))
    # When the log was a file, the cursor had its bytes; it is told anew if these are other lines.
    if fields.pop("offset", None) is not None:
        fields["event"] = fields["lines"]
    return Cursor(**fields)


def _path(settings: Settings, to: str) -> Path:
    name = hashlib.sha256(to.encode()).hexdigest()[:16]
    return openlineage_queue.folder(settings) / f"{name}.json"


def export(settings: Settings, target: Target) -> Cursor:
    """Tell a receiver the whole log, whatever it was told before.

    Raises:
        TransientError: it is away.
    """
    cursor = Cursor(target.label)
    for _, body in events.numbered(settings.events):
        _tell(settings, target, cursor, body)
        cursor.lines += 1
    return cursor
