"""A file drop: a folder in which files of messages appear, a JSON object a line, and are taken.

Whoever writes there writes beside and renames into place: a file that bears its name is whole. It
is deleted once its messages are in a batch on this disk. Links are never followed, nor files loaded
that memory may not hold.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from yupana.core.errors import UsageError
from yupana.core.progress import Progress
from yupana.data.streams.message import Message, instant
from yupana.data.streams.spool import State

ENDINGS = (".ndjson", ".jsonl", ".json")
_MOST_BYTES = 256 << 20


class File(NamedTuple):
    """A file as it was seen; another one of the same name differs."""

    name: str
    size: int
    changed: int
    inode: int


class FolderSource:
    """Takes the files of a folder, oldest first, each whole.

    Args:
        from_bridge: its lines are kept messages already: the bridge wrote them.
    """

    def __init__(self, folder: Path, progress: Progress, *, from_bridge: bool = False) -> None:
        self._folder, self._progress, self._from_bridge = folder, progress, from_bridge
        self._queue: list[File] = []
        self._batch: list[File] = []

    def resume(self, state: State) -> None:
        """Delete the files that a batch holds, if they are still the same."""
        for entry in state.get("files", []):
            file = File(*entry)
            path = self._folder / file.name
            if os.path.lexists(path) and _file_at(path) == file:
                path.unlink()
        self._batch = []

    def look(self) -> None:
        if not self._folder.is_dir():
            if self._from_bridge:
                return
            raise UsageError(
                "The folder of the file drop is not there.",
                where=str(self._folder),
                fix="Make it, or mend `servers.location` in the contract.",
            )
        paths = [p for p in self._folder.iterdir() if p.name[0] != "."]
        links = [p for p in paths if p.is_symlink()]
        files = [p for p in paths if p.is_file() and not p.is_symlink()]
        whole = [p for p in files if p.suffix in ENDINGS]
        self._report(len(links), "links are not followed")
        self._report(len(files) - len(whole), f"messages end in {', '.join(ENDINGS)}")
        there = sorted(map(_file_at, whole), key=lambda file: (file.changed, file.name))
        # The bridge's files are bounded by what it writes at once.
        big = [] if self._from_bridge else [file for file in there if file.size > _MOST_BYTES]
        what = f"a file has {_MOST_BYTES / (1 << 20):g} MiB at most: cut it between two lines"
        self._report(len(big), what)
        self._queue = [file for file in there if file not in big]

    def _report(self, count: int, why: str) -> None:
        # Not by name: it may be a column, and a personal one.
        if count:
            self._progress.say(f"{count} file{'s' * (count > 1)} left: {why}")

    def lines(self, most: int) -> Iterator[bytes]:
        """Messages of whole files: of one alone where that has more than `most`."""
        count = 0
        while self._queue and count < most:
            file = self._queue.pop(0)
            content = _content(self._folder / file.name, file)
            if content is None:
                self._report(1, "it is still written to, or may not be read")
                continue
            messages = list(self._message_lines(file, content))
            if count and count + len(messages) > most:
                self._queue.insert(0, file)
                return
            count += len(messages)
            self._batch.append(file)
            yield from messages

    def _message_lines(self, file: File, content: bytes) -> Iterator[bytes]:
        received = instant(file.changed / 1_000_000)
        content = content.removeprefix(codecs.BOM_UTF8)
        for number, line in enumerate(content.split(b"\n"), 1):
            if value := line.strip():
                message = Message(_text(file.name), None, number, received, None, value)
                yield value + b"\n" if self._from_bridge else message.line()

    def state(self) -> State:
        return {"files": [list(file) for file in self._batch]}

    def faults(self) -> list[str]:
        return []

    def close(self) -> None:
        return


def _file_at(path: Path) -> File:
    return _file(path.name, path.lstat())


def _file(name: str, facts: os.stat_result) -> File:
    return File(name, facts.st_size, facts.st_mtime_ns, facts.st_ino)


def _content(path: Path, file: File) -> bytes | None:
    """A file's bytes, no more than it had; None where it is not, or no longer, as it was seen."""
    try:
        # It may have become a link or a pipe meanwhile.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as stream:
        if _file(file.name, os.fstat(handle)) != file:
            return None
        content = stream.read(file.size)
    return content if os.path.lexists(path) and _file_at(path) == file else None


def _text(name: str) -> str:
    """A file's name as text: bytes of it that are no UTF-8 stand as `\\xff`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
