"""A file drop: a folder in which files of messages appear, a JSON object a line, and are taken.

Whoever writes there writes beside and renames into place: a file that bears its name is whole. It
is deleted once its messages are in a batch on this disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from yupana.core.errors import UsageError
from yupana.core.progress import Progress
from yupana.data.streams.message import Message, instant
from yupana.data.streams.spool import State

ENDINGS = (".ndjson", ".jsonl", ".json")


class File(NamedTuple):
    """A file as it was seen; another one of the same name differs."""

    name: str
    size: int
    changed: int
    inode: int


class FolderSource:
    """Takes the files of a folder, oldest first, each whole.

    Args:
        kept: its lines are kept messages already: the bridge wrote them.
    """

    def __init__(self, folder: Path, progress: Progress, *, kept: bool = False) -> None:
        self._folder, self._progress, self._kept = folder, progress, kept
        self._there: list[File] = []
        self._taken: list[File] = []

    def resume(self, state: State) -> None:
        """Delete the files that a batch holds, if they are still the same."""
        for entry in state.get("files", []):
            file = File(*entry)
            path = self._folder / file.name
            if path.exists() and _seen(path) == file:
                path.unlink()
        self._taken = []

    def look(self) -> None:
        if not self._folder.is_dir():
            if self._kept:
                return
            raise UsageError(
                "The folder of the file drop is not there.",
                where=str(self._folder),
                fix="Make it, or mend `servers.location` in the contract.",
            )
        paths = [p for p in self._folder.iterdir() if p.is_file() and p.name[0] != "."]
        whole = [p for p in paths if p.suffix in ENDINGS]
        if others := len(paths) - len(whole):
            self._progress.say(f"{others} files are left: messages end in {', '.join(ENDINGS)}")
        self._there = sorted(map(_seen, whole), key=lambda file: (file.changed, file.name))

    def lines(self, most: int) -> Iterator[bytes]:
        count = 0
        while self._there and count < most:
            file = self._there.pop(0)
            path = self._folder / file.name
            content = path.read_bytes()
            if _seen(path) != file:
                self._progress.say(f"{file.name} is still written to: left for the next run")
                continue
            self._taken.append(file)
            for line in self._kept_lines(file, content):
                yield line
                count += 1

    def _kept_lines(self, file: File, content: bytes) -> Iterator[bytes]:
        received = instant(file.changed / 1_000_000)
        for number, line in enumerate(content.split(b"\n"), 1):
            if value := line.strip():
                kept = Message(file.name, None, number, received, None, value)
                yield value + b"\n" if self._kept else kept.line()

    def state(self) -> State:
        return {"files": [list(file) for file in self._taken]}

    def faults(self) -> list[str]:
        return []

    def close(self) -> None:
        return


def _seen(path: Path) -> File:
    stat = path.stat()
    return File(path.name, stat.st_size, stat.st_mtime_ns, stat.st_ino)
