"""One process at a time: a lock on a file, which the system frees when its holder dies.

By flock itself: filelock has no shared lock, as the ledger's readers hold beside its writers. A
home that several machines mount needs a file system whose locks reach them all (NFS 4 or later).
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from yupana.core.progress import Progress


@contextmanager
def one_at_a_time(path: Path, holder: str, progress: Progress) -> Iterator[None]:
    """Hold the lock `path`; wait, and say so, while `holder` has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say(f"waiting for {holder} …")
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


@contextmanager
def if_free(path: Path) -> Iterator[bool]:
    """Hold the lock `path` if nobody has it; whether it is held now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def is_locked(path: Path) -> bool:
    """Whether somebody has the lock `path` at this moment."""
    if not path.exists():
        return False
    with if_free(path) as free:
        return not free
