"""Rows that wait for a database that is away: JSON lines on this machine's disk.

Each process has a file of its own and holds a lock on it; the file of a process that died is
free, and whoever comes by brings its rows home. A prediction stands once in a file.
"""

from __future__ import annotations

import errno
import fcntl
import itertools
import json
import os
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from yupana.predictions import version1
from yupana.predictions.log_writer import Row

MOST_BYTES = 256 << 20
"""Bytes that one process may leave; about a million records."""
_LINES = 1000


class Spool:
    """The files beside `path` that bear its name.

    Args:
        path: for example `spool/NAME.jsonl`; a process's file is `spool/NAME-<its>.jsonl`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # Not by the process's number, which is the same again in a container.
        self._own = path.with_name(f"{path.stem}-{uuid.uuid4().hex[:12]}{path.suffix}")
        self._stream: IO[bytes] | None = None
        self._keys: set[str] = set()

    def append(self, predictions: Sequence[Row], records: Sequence[Row]) -> None:
        """Add rows, and return when the disk has them.

        Raises:
            OSError: the disk or the spool is full; nothing was added.
        """
        fresh = {row[0]: ["prediction", row] for row in predictions if row[0] not in self._keys}
        lines = [*fresh.values(), *(["record", row] for row in records)]
        data = b"".join(json.dumps(line, default=str).encode() + b"\n" for line in lines)
        stream = self._stream or self._open()
        before = stream.seek(0, os.SEEK_END)
        if before + len(data) > MOST_BYTES:
            raise OSError(errno.ENOSPC, "the spool is full")
        try:
            # Unbuffered: a full disk may take a part.
            while data:
                data = data[stream.write(data) :]
            os.fsync(stream.fileno())
        except OSError:
            stream.truncate(before)
            raise
        self._keys |= fresh.keys()

    def waiting(self) -> list[Path]:
        """Files that have rows of this process, or of one that died, oldest first."""
        files = [p for p in self._path.parent.glob(f"{self._path.stem}-*") if p.stat().st_size]
        return sorted(files, key=lambda p: p.stat().st_mtime)

    def rows(self, path: Path) -> Iterator[tuple[list[Row], list[Row]]]:
        """Predictions and records of a file, some at a time; nothing if another process holds it.

        The file goes when all were taken: a caller that fails in between gets them all again.
        """
        with path.open("rb") as stream:
            if path != self._own and not _lock(stream):
                return
            while lines := list(itertools.islice(stream, _LINES)):
                yield rows_of(lines)
        path.unlink(missing_ok=True)
        if path == self._own:
            self.close()

    def close(self) -> None:
        """Let go of this process's file; rows in it wait for the next process."""
        if self._stream:
            self._stream.close()
        self._stream, self._keys = None, set()

    def _open(self) -> IO[bytes]:
        self._own.parent.mkdir(parents=True, exist_ok=True)
        self._stream = self._own.open("ab", buffering=0)
        _lock(self._stream)
        return self._stream


def _lock(stream: IO[bytes]) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def rows_of(lines: Iterable[bytes]) -> tuple[list[Row], list[Row]]:
    """Predictions and records in some lines, also those that an earlier release put aside."""
    predictions: list[Row] = []
    records: list[Row] = []
    for line in lines:
        # A line that a kill cut short was never synced; the whole ones before it were.
        if not line.endswith(b"\n"):
            continue
        kind, row = json.loads(line)
        if kind == "prediction":
            predictions.append(row)
        elif kind == "record":
            records.append(row)
        elif kind == "forecast":
            predictions.append(version1.prediction_row(row))
        else:
            records.append(version1.record_row(row))
    return predictions, records
