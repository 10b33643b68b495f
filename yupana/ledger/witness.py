"""The witness: signed checkpoints of the ledger's head, in files beside the database.

A ledger that was cut off or rolled back is a good chain by itself; what a file elsewhere saw of
it is not there any more. `YUPANA_LEDGER_WITNESS` names a folder on another machine or mount.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from yupana.config.settings import Settings
from yupana.ledger import entries, signing
from yupana.ledger.canonical import canonical

_LOG = logging.getLogger(__name__)
_LONGEST = 1000
WITNESS, ROOTS = "witness.jsonl", "roots.jsonl"


def folders(settings: Settings) -> list[Path]:
    """Where checkpoints and roots are kept: home first, then the place elsewhere, if any."""
    return [p for p in (settings.home / "ledger", settings.ledger_witness) if p]


def files(settings: Settings, name: str = WITNESS) -> list[Path]:
    """The files of checkpoints, or of roots, in each of these folders."""
    return [folder / name for folder in folders(settings)]


def leave(settings: Settings, every: float = 0.0) -> bool:
    """Append a checkpoint of the present head to each witness file that lacks it.

    What is witnessed was committed: the head is read from the database, and under a lock on the
    files, so that a file's checkpoints are in the ledger's order.

    Args:
        every: seconds since the last checkpoint before which none is left.

    Returns:
        Whether the present head is witnessed, or will be by the process that signs.
    """
    if not settings.sign_ledger:
        return True
    own = files(settings)[0]
    # A clock that was set back makes no checkpoint young.
    if every and own.exists() and 0 <= time.time() - own.stat().st_mtime < every:
        return False
    with ExitStack() as stack:
        streams = [stack.enter_context(s) for p in files(settings) if (s := _locked(p))]
        if head := entries.newest(settings.platform_db):
            line = canonical(checkpoint(settings, head.seq, head.hash, datetime.now(UTC)))
            for stream in streams:
                _add(stream, line.encode() + b"\n")
    return True


@dataclass(frozen=True)
class Coverage:
    """How much of a ledger is seen where its owner cannot reach.

    Attributes:
        files: witness files elsewhere that have a checkpoint.
        unwitnessed: events since the last checkpoint in any of them; all where there is none.
        since: time of that checkpoint (ISO 8601, UTC).
    """

    files: int = 0
    unwitnessed: int = 0
    since: str = ""

    def __str__(self) -> str:
        if not self.files:
            return (
                "none elsewhere: who owns this home can cut off the ledger, or write it anew, and "
                "nothing here would show it (YUPANA_LEDGER_WITNESS, docs/ledger.md)"
            )
        return f"seen elsewhere but for the last {self.unwitnessed:,} events, since {self.since}"


def coverage(paths: Iterable[Path], events: int) -> Coverage:
    """What witness files elsewhere cover of a ledger of so many events."""
    last = [mark for path in paths if (mark := last_checkpoint(path))]
    if not last:
        return Coverage(0, events)
    newest = max(last, key=lambda mark: int(mark["seq"]))
    return Coverage(len(last), max(events - int(newest["seq"]), 0), str(newest["time"]))


def last_checkpoint(path: Path) -> dict[str, Any] | None:
    """Number, head and time of the last whole checkpoint in a witness file; None: there is none."""
    record = last_record(path)
    return {k: record[k] for k in ("seq", "head", "time")} if record else None


def last_record(path: Path) -> dict[str, Any] | None:
    """The last whole checkpoint in a witness file, with its signature, which nobody checked."""
    try:
        with path.open("rb") as stream:
            stream.seek(max(stream.seek(0, os.SEEK_END) - 3 * _LONGEST, 0))
            lines = stream.read().split(b"\n")
    except OSError:
        return None
    for line in reversed(lines):
        try:
            mark = json.loads(line)
            checkpoint = {"seq": int(mark["seq"]), "head": mark["head"], "time": str(mark["time"])}
            return {**mark, **checkpoint}
        except (KeyError, TypeError, ValueError):
            # A crash may tear the last line; the verifier judges it.
            continue
    return None


def checkpoint(settings: Settings, seq: int, head: str, now: datetime) -> dict[str, Any]:
    """The signed word that the ledger ended with this event at a time."""
    moment = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return sealed(settings, {"head": head, "seq": seq, "time": moment, "type": "checkpoint"})


def sealed(settings: Settings, record: dict[str, Any]) -> dict[str, Any]:
    """A record with the signature of its canonical text."""
    return {**record, "signature": signing.sign(settings, canonical(record).encode())}


def publish(settings: Settings, records: list[dict[str, Any]]) -> None:
    """Append daily roots to the files that can be copied elsewhere."""
    for path in files(settings, ROOTS):
        if stream := _locked(path):
            with stream:
                stream.write("".join(f"{canonical(record)}\n" for record in records).encode())


def until(path: Path, size: int, start: int = 0) -> Iterator[bytes]:
    """The lines of a file from a byte on, without their ends, that it had when it was of this
    size."""
    if not path.exists():
        return
    with path.open("rb") as stream:
        stream.seek(start)
        while stream.tell() < size and (line := stream.readline()):
            yield line.rstrip(b"\n")


def _locked(path: Path) -> IO[bytes] | None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("a+b")
        fcntl.flock(stream, fcntl.LOCK_EX)
    except OSError as error:
        # The event is recorded already; the next checkpoint there covers it too.
        _LOG.error("the ledger's witness is away: %s: %s", path, error)
        return None
    return stream


def _add(stream: IO[bytes], line: bytes) -> None:
    """Add a line unless it tells the same head as the last one."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(size - _LONGEST, 0))
    end = stream.read()
    whole, _, torn = end.rpartition(b"\n")
    if torn:
        stream.truncate(size - len(torn))
    last = whole.rpartition(b"\n")[2]
    # Head and number stand first in a checkpoint.
    if last.partition(b',"signature"')[0] != line.partition(b',"signature"')[0]:
        stream.write(line)
