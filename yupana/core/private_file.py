"""Files for their owner's eyes alone: keys, tokens, passwords."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def create(path: Path, content: Callable[[], str]) -> bool:
    """Write a file once, whole or not at all; of two writers at once, the first one's stays.

    Args:
        content: makes the text; called only where there is no file yet.

    Returns:
        Whether this call wrote it.
    """
    if path.exists():
        return False
    fresh = _beside(path, content())
    try:
        # Linked, not renamed: a rename would replace another writer's.
        os.link(fresh, path)
    except FileExistsError:
        return False
    finally:
        fresh.unlink()
    return True


def replace(path: Path, text: str) -> None:
    """Write a file anew, whole or not at all."""
    _beside(path, text).replace(path)


def by_default() -> int:
    """Let whatever this process and its children write be its owner's alone; returns the mask of
    before. Who else may read a file is told by its own mode, or by `shared`."""
    return os.umask(0o077)


@contextmanager
def shared() -> Iterator[None]:
    """Meanwhile others may read what is written: the exchange, pages for an auditor."""
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)


def is_open(path: Path) -> bool:
    """Whether others than its owner may read or change it.

    What is root's a group may read, by whom root chose it: so a cluster mounts a secret for a
    process that does not run as root.
    """
    status = path.stat()
    mounted = status.st_uid == 0 != os.geteuid()
    return bool(status.st_mode & (0o037 if mounted else 0o077))


def _beside(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as stream:
        stream.write(text)
    return fresh
