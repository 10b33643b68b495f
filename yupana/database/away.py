"""A database that does not answer, in words for who can mend it."""

from __future__ import annotations

import shutil
from pathlib import Path

from yupana.core.errors import TransientError

_SQLITE = "sqlite:///"
_ROOM = 1 << 20
"""Bytes that SQLite needs for a write beside its file: journal and shared memory."""


def away(what: str, error: object, *, url: str, where: str, fix: str) -> TransientError:
    """The error of a database that is away; of one in a file, a full disk is told as such.

    SQLite says "disk I/O error", or that it cannot open the file, of a journal that it has no room
    for (sqlite.org/rescode.html): what decides then is the room on the disk.

    Args:
        error: the driver's.
    """
    folder = Path(url.removeprefix(_SQLITE)).parent
    if url.startswith(_SQLITE) and folder.is_dir():
        free, says = shutil.disk_usage(folder).free, str(error)
        starved = free < _ROOM and ("disk I/O" in says or "unable to open" in says)
        if starved or "disk is full" in says:
            return TransientError(
                f"The disk is full: {what[0].lower()}{what[1:]}.",
                where=f"{folder} ({free / 2**20:,.1f} MiB free)",
                fix="Make room (`yupana maintain`), or move YUPANA_HOME, and run it again.",
            )
    return TransientError(f"{what}: {error}.", where=where, fix=fix)
