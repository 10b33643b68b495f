"""What is printed cannot steer the terminal it is printed on.

File names, field values, topics and messages come from strangers; an escape sequence in one of
them could move the cursor, retitle the window or fill the clipboard (CWE-150). Colours pass: they
are our own tables', and harm nobody.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

# C0 but tab and line feed, DEL, C1; line and paragraph separators; marks that turn the direction
# of text (CVE-2021-42574). A colour is kept (ECMA-48, "select graphic rendition").
_CONTROL = re.compile(
    r"(?P<colour>\x1b\[[0-9;]*m)|(?P<return>\r)(?=\n)"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)


def harmless(text: str) -> str:
    """The text with each control character as its escape, e.g. `\\x1b`."""
    return _CONTROL.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    if match["colour"] or match["return"]:
        return match["colour"] or ""
    return match[0].encode("unicode_escape").decode()


class Harmless:
    """A text stream that writes `harmless` text to another, and is that other in all else."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(harmless(text))

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def harmless_output() -> Iterator[None]:
    """Meanwhile standard output and error are `Harmless`."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = Harmless(sys.stdout), Harmless(sys.stderr)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
