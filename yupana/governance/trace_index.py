"""Which event made a reference, found without parsing the events that nobody asks for.

The event log of a country has a hundred thousand lines, and a trace needs some dozens of them.
Each line begins with the fields that `events.append` writes first; the references in and out
are cut out of that head, and a line is parsed only when it is asked for.
"""

from __future__ import annotations

import json
import mmap
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from yupana.core.errors import TerminalError
from yupana.governance.events import Event

# In valid JSON a list of texts without backslash or bracket ends at the first bracket; a line
# that has such a one is parsed whole.
_REFS = rb"\[([^\[\]\\\n]*)\]"
_HEAD = re.compile(
    rb'^\{"id": "[^"\n]*", "time": "[^"\n]*", "step": "([^"\\\n]*)", "subject": '
    rb'"(?:[^"\\\n]+|\\.)*", "status": "([a-z]+)", "inputs": ' + _REFS + rb', "outputs": '
    + _REFS + rb"[^\n]*\}\n",
    re.MULTILINE,
)  # fmt: skip


class Index:
    """The successful events of a log by the references that they made.

    Raises:
        TerminalError: a line is not JSON; names the line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._made: dict[bytes, int] = {}
        self._lines: list[tuple[bytes, bytes, bytes]] = []
        self._offsets: list[int] = []
        self._opened: dict[int, Event] = {}
        # An empty file has no pages to map.
        if path.exists() and path.stat().st_size:
            self._read()

    def _read(self) -> None:
        with (
            self.path.open("rb") as stream,
            mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as log,
        ):
            at, number = 0, 1
            for head in _HEAD.finditer(log):
                if head.start() > at:
                    number = self._parse(log[at : head.start()], at, number)
                step, status, read, made = head.groups()
                if status == b"done":
                    self._add(step, read, made, head.start())
                at, number = head.end(), number + 1
            self._parse(log[at:], at, number)

    def _parse(self, lines: bytes, at: int, number: int) -> int:
        """Take in lines that were written otherwise; returns the number of the line after."""
        for line in lines.splitlines(keepends=True):
            step, status, read, made = _parsed(line, self.path, number)
            if status == b"done":
                self._add(step, read, made, at)
            at, number = at + len(line), number + 1
        return number

    def _add(self, step: bytes, read: bytes, made: bytes, at: int) -> None:
        for ref in _refs(made):
            # Taken out first, so that the dict's order is that of the newest making.
            if ref in self._made:
                del self._made[ref]
            self._made[ref] = len(self._lines)
        self._lines.append((step, read, made))
        self._offsets.append(at)

    def made_by(self, ref: str) -> Event | None:
        """The newest successful event with `ref` among its outputs; None where there is none."""
        number = self._made.get(ref.encode())
        return None if number is None else self.event(number)

    def named(self, ref: str) -> bool:
        """Whether a successful event made or read it."""
        quoted = b'"%b"' % ref.encode()
        return ref.encode() in self._made or any(quoted in read for _, read, _ in self._lines)

    def newest(self, many: int) -> list[str]:
        """The references that were made last, oldest first."""
        return [ref.decode() for ref in list(self._made)[-many:]]

    def event(self, number: int) -> Event:
        """One successful event, by its place among them."""
        if number not in self._opened:
            with self.path.open("rb") as stream:
                stream.seek(self._offsets[number])
                self._opened[number] = json.loads(stream.readline())
        return self._opened[number]

    def steps(self, *names: str) -> Iterator[Event]:
        """The successful events of some steps, oldest first."""
        wanted = {name.encode() for name in names}
        for number, (step, _, _) in enumerate(self._lines):
            if step in wanted:
                yield self.event(number)

    def edges(self) -> Iterator[tuple[int, str, list[str], list[str]]]:
        """Each successful event: its place, step, references in and references out."""
        for number, (step, read, made) in enumerate(self._lines):
            texts = ([r.decode() for r in _refs(part)] for part in (read, made))
            yield number, step.decode(), next(texts), next(texts)


def _refs(part: bytes) -> list[bytes]:
    return part[1:-1].split(b'", "') if part else []


def _parsed(line: bytes, path: Path, number: int) -> tuple[bytes, bytes, bytes, bytes]:
    """The head of a line that was written otherwise, in the same form."""
    try:
        event: dict[str, Any] = json.loads(line)
    except ValueError as error:
        raise TerminalError(
            "The event log has a line that is not JSON.",
            where=f"{path}, line {number}",
            fix="If it is the last line, a crash tore it: delete that line.",
        ) from error
    lists = (", ".join(f'"{ref}"' for ref in event[k]).encode() for k in ("inputs", "outputs"))
    return (event["step"].encode(), event["status"].encode(), next(lists), next(lists))
