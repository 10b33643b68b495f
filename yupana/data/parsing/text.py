"""A publisher's text as UTF-8 for a CSV parser: decoded, its line breaks and end made plain.

What a parser cannot tell apart afterwards is marked by noncharacters, which no text may hold
(Unicode 16, section 23.7), and `restore` takes them away again:

- a carriage return of its own inside a line that ends in LF is text, not the end of a line;
- an empty line is no record, but it counts as a line.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from yupana.core.errors import TerminalError

if TYPE_CHECKING:
    import pyarrow as pa

CARRIAGE_RETURN, EMPTY_LINE = "\ufdd0", "\ufdd1"
_LONE_CR = re.compile(rb"\r(?!\n)")
_EMPTY_LINE = re.compile(rb"(?<=\n)(?=\r?\n)")
_BREAK = (b"\n", b"\r")
_BLOCK = 1 << 22
LONGEST_LINE = 8 << 20
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip


class Blocks:
    """A stream of bytes for a parser, read once from front to back."""

    closed = False

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._ready = blocks, b""

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; none at the end. Raises what the blocks' maker raises."""
        while size < 0 or len(self._ready) < size:
            block = next(self._blocks, None)
            if block is None:
                break
            self._ready += block
        out = self._ready if size < 0 else self._ready[:size]
        self._ready = self._ready[len(out) :]
        return out

    def put_back(self, content: bytes) -> None:
        """Have bytes read again."""
        self._ready = content + self._ready


class Text:
    """A stream of UTF-8 bytes, read once from front to back.

    Attributes:
        marks: whether a mark has been set so far.
    """

    def __init__(self, stream: BinaryIO, encoding: str, source: str) -> None:
        self.marks = False
        self._first = stream.read(_BLOCK)
        encoding = _by_mark(self._first, encoding, source)
        self._stream, self._encoding, self._source = stream, encoding, source
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._utf8 = codecs.lookup(encoding).name == "utf-8"
        # What a one-byte encoding reads without fault may be UTF-8 all the same.
        self._as_utf8 = None if self._utf8 else codecs.getincrementaldecoder("utf-8")()
        self._beyond_ascii = False
        self._line = 1
        self._blocks, self._carry = Blocks(self._decode()), b""
        self._old_mac: bool | None = None
        self._line_start, self._ended = True, False

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; none at the end.

        Raises:
            TerminalError: the bytes are not of the encoding; names line and byte.
        """
        return self._blocks.read(size)

    def lines(self, count: int) -> str:
        """The next lines as text, fewer at the end; what follows them is read on by `read`.

        Raises:
            TerminalError: as `read`, and for a line longer than `LONGEST_LINE` bytes.
        """
        block = b""
        while block.count(b"\n") < count:
            more = self.read(_BLOCK)
            if not more:
                break
            block += more
            if len(block) > LONGEST_LINE:
                raise TerminalError(
                    f"A line has no end within {LONGEST_LINE >> 20} MiB.",
                    where=f"{self._source}, in the first {count} lines",
                    fix="This is not the text that the contract describes: look at it by hand.",
                )
        place = 0
        for _ in range(count):
            place = block.find(b"\n", place) + 1 or len(block)
        self._blocks.put_back(block[place:])
        return block[:place].decode()

    def line(self, number: int, after: int) -> str:
        """A line as text, where `after` lines have been read.

        Raises:
            TerminalError: the text ends before; also as `lines`.
        """
        self.lines(number - after - 1)
        if text := self.lines(1):
            return text
        raise TerminalError(
            f"The file has no line {number}, where the names of the columns should stand.",
            where=self._source,
            fix="Mend `headerRow` in the contract, or fetch the file again.",
        )

    def put_back(self, lines: str) -> None:
        """Have lines read again."""
        self._blocks.put_back(lines.encode())

    def _decode(self) -> Iterator[bytes]:
        while not self._ended:
            yield self._block()

    def _block(self) -> bytes:
        raw, self._first = self._first or self._stream.read(_BLOCK), b""
        self._ended = not raw
        try:
            text = self._decoder.decode(raw, final=self._ended)
        except UnicodeDecodeError as error:
            raise self._undecodable(error) from error
        self._compare(raw)
        block = self._carry + (raw if self._utf8 else text.encode())
        self._carry = b""
        if self._line == 1 and self._old_mac is None:
            while block.startswith(codecs.BOM_UTF8):
                block = block.removeprefix(codecs.BOM_UTF8)
        if b"\0" in block:
            raise self._not_text(block)
        self._line += block.count(b"\n")
        if not self._ended and self._old_mac is None and len(block) < 2:
            self._carry, block = block, b""
        return self._plain(block)

    def _compare(self, raw: bytes) -> None:
        """Refuse UTF-8 under another name: every accented letter would be two wrong ones."""
        if self._as_utf8 is None:
            return
        try:
            self._as_utf8.decode(raw, final=self._ended)
        except UnicodeDecodeError:
            self._as_utf8 = None
            return
        self._beyond_ascii = self._beyond_ascii or not raw.isascii()
        if self._ended and self._beyond_ascii:
            raise TerminalError(
                f"The file is UTF-8 from end to end, and the contract says {self._encoding}.",
                where=self._source,
                fix="Set the contract's `encoding` to UTF-8, or take it out.",
            )

    def _plain(self, block: bytes) -> bytes:
        """The block with marks where a parser would be led astray."""
        if not self._ended and block.endswith(b"\r"):
            whole = block.rstrip(b"\r")
            self._carry, block = block[len(whole) :], whole
        # A program that knew CRLF for one break wrote it as two.
        block = block.replace(b"\r\r\n", b"\r\n")
        if self._old_mac is None and block:
            self._old_mac = b"\n" not in block
        if block.count(b"\r") != block.count(b"\r\n"):
            self.marks = self.marks or not self._old_mac
            block = _LONE_CR.sub(b"\n" if self._old_mac else CARRIAGE_RETURN.encode(), block)
        if (self._line_start and block[:1] in _BREAK) or b"\n\n" in block or b"\n\r\n" in block:
            self.marks = True
            # The break before the block decides whether its first line is empty.
            before = b"\n" if self._line_start else b" "
            block = _EMPTY_LINE.sub(EMPTY_LINE.encode(), before + block)[1:]
        if block:
            self._line_start = block.endswith(b"\n")
        if self._ended and not self._line_start:
            block += b"\n"
        return block

    def _not_text(self, block: bytes) -> TerminalError:
        line = self._line + block[: block.index(b"\0")].count(b"\n")
        return TerminalError(
            "The file is not text: it has a byte of zero.",
            where=f"{self._source}, line {line}",
            fix="Fetch it again, or ask the publisher for the table as CSV.",
        )

    def _undecodable(self, error: UnicodeDecodeError) -> TerminalError:
        before: bytes = error.object[: error.start]
        column = len(before) - (before.rfind(b"\n") + 1) + 1
        line = self._line + before.count(b"\n")
        return TerminalError(
            f"The file is not {self._encoding}: {error.reason}.",
            where=f"{self._source}, line {line}, byte {column} of the line",
            fix="Set the contract's `encoding` to the file's own (often latin-1 or cp1252), or "
            "ask the publisher.",
        )


def _by_mark(head: bytes, encoding: str, source: str) -> str:
    """The encoding, with a byte order mark believed where it is UTF-8's.

    Raises:
        TerminalError: the mark is of another encoding than the contract's.
    """
    name = codecs.lookup(encoding).name
    if head.startswith(codecs.BOM_UTF8):
        return "UTF-8"
    marked = next((n for mark, n in _MARKS if head.startswith(mark)), None)
    marked = marked or _by_zeros(head[:200])
    if marked and not name.startswith(marked[:6]):
        raise TerminalError(
            f"The file is {marked} by its first bytes, and the contract says {encoding}.",
            where=f"{source}, line 1",
            fix=f"Set the contract's `encoding` to {marked}.",
        )
    return encoding


def _by_zeros(head: bytes) -> str | None:
    """UTF-16 without a mark: of two bytes, one is zero for the letters of our languages."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    if not even + odd or max(even, odd) < len(head) // 4 or even + odd == len(head):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def restore(column: pa.Array) -> pa.Array:
    """A column of texts without the marks."""
    import pyarrow.compute as pc

    plain = pc.replace_substring(column, CARRIAGE_RETURN, "\r")
    return pc.replace_substring(plain, EMPTY_LINE, "")


def without_marks(text: str) -> str:
    """One text without the marks."""
    return text.replace(CARRIAGE_RETURN, "\r").replace(EMPTY_LINE, "")
