"""Plain files of a folder: their bytes, and those alone of a folder that strangers fill."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from yupana.core.errors import TerminalError

MOST_FILES = 1_000
MOST_BYTES = 4 << 30
"""Of one folder in all."""
MOST_TEXT = 4 << 20
"""Bytes of a file that is read whole: a card, a manifest."""


def size(folder: Path) -> int:
    """Bytes of a folder's files; links count nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            state = path.lstat()
        except FileNotFoundError:
            # A process that runs meanwhile removed it.
            continue
        total += state.st_size if stat.S_ISREG(state.st_mode) else 0
    return total


def names(folder: Path) -> list[str]:
    """Paths of a folder's files relative to it, sorted.

    Raises:
        TerminalError: the folder or something in it is a link, a device, a pipe or a socket (what
            lies behind it belongs to this machine, and not to who filled the folder), or there
            are more files or bytes than `MOST_FILES` and `MOST_BYTES`.
    """
    if folder.is_symlink() or not folder.is_dir():
        raise _refused(folder, "is no folder of plain files")
    paths: list[str] = []
    total = 0
    for root, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            path = Path(root, name)
            state = path.lstat()
            if stat.S_ISDIR(state.st_mode):
                continue
            if not stat.S_ISREG(state.st_mode):
                raise _refused(path, "is a link, or no plain file")
            paths.append(str(path.relative_to(folder)))
            total += state.st_size
            if len(paths) > MOST_FILES or total > MOST_BYTES:
                bounds = f"{MOST_FILES} files or {MOST_BYTES >> 30} GiB"
                raise _refused(folder, f"holds more than {bounds}")
    return sorted(paths)


def copy(folder: Path, target: Path) -> list[str]:
    """Copy a folder's plain files into a new one; returns their names (`names`).

    Raises:
        TerminalError: as `names`; also where a file became a link meanwhile.
    """
    files = names(folder)
    for name in files:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(_open(folder / name), "rb") as source, (target / name).open("xb") as out:
            shutil.copyfileobj(source, out)
    return files


def text(path: Path) -> str:
    """A small file as UTF-8.

    Raises:
        FileNotFoundError: it is not there.
        TerminalError: it is a link or no plain file, is over `MOST_TEXT` bytes, or is not UTF-8.
    """
    with os.fdopen(_open(path), "rb") as stream:
        content = stream.read(MOST_TEXT + 1)
    if len(content) > MOST_TEXT:
        raise _refused(path, f"has more than {MOST_TEXT >> 20} MiB")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise _refused(path, f"is no text in UTF-8 ({error.reason})") from error


def _open(path: Path) -> int:
    try:
        # Without waiting: the other end of a pipe may never come.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _refused(path, "is a link, or cannot be read") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _refused(path, "is no plain file")
    return handle


def _refused(path: Path, why: str) -> TerminalError:
    return TerminalError(
        f"'{path.name}' {why}.",
        where=str(path),
        fix="Put a plain file there, or get the folder again from who shared it.",
    )
