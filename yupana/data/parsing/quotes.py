"""Hold a text's quotes to RFC 4180 before it is cut into records, as it streams.

A parser reads on where a quote is wrong, and makes one record of several without a word. Here
the line of such a quote becomes a line of its own: its quotes are replaced by a noncharacter
(Unicode 16, section 23.7) that says what is wrong, and what follows is cut anew. A quote in
the middle of a field that does not begin with one (`5" pipe`) is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from yupana.data.parsing.text import Text

if TYPE_CHECKING:
    import pyarrow as pa

UNCLOSED, TRAILING, DOUBTFUL = "\ufdd3", "\ufdd4", "\ufdd5"
FAULTS = {
    DOUBTFUL: "a quote joins lines that may each be a record",
    TRAILING: "text after a closing quote; a quote in a text is written twice",
    UNCLOSED: "a quote is not closed",
}
_QUOTE, _BREAK, _RETURN = b'"\n\r'
_BLOCK = 1 << 22


class Quotes:
    """The text's bytes in whole records, with wrong quotes replaced.

    Attributes:
        joined: whether a record of several lines has been read so far.
        wrong: whether a quote has been replaced so far.
    """

    def __init__(self, text: Text, delimiter: str, width: int, longest: int) -> None:
        self.joined = self.wrong = False
        self._text, self._width, self._longest = text, width, longest
        self._delimiter = delimiter.encode()
        self._carry, self._ended = b"", False
        no, blank = re.escape(self._delimiter), rb" *" if delimiter != " " else b""
        quoted = rb'"[^"]*+(?:""[^"]*+)*+"' + blank + rb"(?=[\r\n%s])" % no
        field = rb'(?:%s|(?!")[^\n%s]*+)' % (quoted, no)
        self._record = re.compile(rb"%s(?:%s%s)*+\r?\n" % (field, no, field))
        strict = rb'(?:%s|[^"\n%s]*+)' % (quoted, no)
        self._strict = re.compile(rb"%s(?:%s%s)*+\r?\n" % (strict, no, strict))
        self._field = re.compile(field + no)
        self._open = re.compile(rb'"[^"]*+(?:""[^"]*+)*+\Z')
        self._closed = re.compile(rb'"[^"\n]*+(?:""[^"\n]*+)*+"')

    def blocks(self) -> Iterator[bytes]:
        """All of the text. Raises as `Text.read`."""
        while not self._ended:
            yield self._block()

    def _block(self) -> bytes:
        more = self._text.read(_BLOCK)
        self._ended = not more
        block = self._carry + more
        end = block.rfind(b"\n") + 1
        lines, rest = block[:end], block[end:]
        whole = self._sound(lines) if b'"' in lines else end
        ready, still_open = (
            self._by_record(lines) if whole is None else (lines[:whole], lines[whole:])
        )
        if self._must_end(len(still_open)):
            marked, still_open = self._by_record(still_open)
            ready += marked
        self._carry = still_open + rest
        return ready

    def _must_end(self, size: int) -> bool:
        """Whether a record that is open after so many bytes will not be closed."""
        return self._ended or size >= self._longest

    def _sound(self, lines: bytes) -> int | None:
        """Where the last whole record ends, if every quote opens or closes a field, in turn."""
        import numpy as np

        text = np.frombuffer(lines, np.uint8)
        quotes = np.flatnonzero(text == _QUOTE)
        edges = [_BREAK, self._delimiter[0], _QUOTE]
        # The text ends in a line break: there is a byte on both sides of each quote.
        begins = np.isin(text[quotes[::2] - 1], edges)
        ends = np.isin(text[quotes[1::2] + 1], [*edges, _RETURN])
        if not (begins.all() and ends.all()):
            return None
        breaks = np.flatnonzero(text == _BREAK)
        inside = (np.searchsorted(quotes, breaks) & 1).astype(bool)
        outside = breaks[~inside]
        end = int(outside[-1]) + 1 if len(outside) else 0
        joins = np.searchsorted(outside, breaks[inside])
        for number in np.unique(joins[joins < len(outside)]).tolist():
            self.joined = True
            start = int(outside[number - 1]) + 1 if number else 0
            if self._doubtful(lines[start : int(outside[number]) + 1]):
                return None
        return end

    def _by_record(self, lines: bytes) -> tuple[bytes, bytes]:
        """Records one by one, and the text of a last one that may still be closed."""
        out: list[bytes] = []
        place = 0
        while place < len(lines):
            if record := self._record.match(lines, place):
                place = record.end()
                out.append(self._join(record[0]))
                continue
            start = self._after_fields(lines, place)
            if self._open.match(lines, start) and not self._must_end(len(lines) - place):
                break
            end = lines.index(b"\n", place) + 1
            closed = self._closed.match(lines, start, end)
            out.append(self._mark(lines[place:end], TRAILING if closed else UNCLOSED))
            place = end
        return b"".join(out), lines[place:]

    def _after_fields(self, lines: bytes, place: int) -> int:
        """Where the whole fields of a record end, each with its delimiter.

        One by one: of `(?:…)*+` Python before 3.11.4 tells a wrong end.
        """
        while field := self._field.match(lines, place):
            place = field.end()
        return place

    def _join(self, record: bytes) -> bytes:
        if record.count(b"\n") == 1:
            return record
        # A quote inside of a plain field is text; beside a field of several lines it is a doubt.
        if self._strict.fullmatch(record) and not self._doubtful(record):
            self.joined = True
            return record
        lines = record.splitlines(keepends=True)
        return b"".join(DOUBTFUL.encode() + self._mark(line, UNCLOSED) for line in lines)

    def _doubtful(self, record: bytes) -> bool:
        """Whether each line of a record of several looks like a record: it has as many fields,
        and something in the first.

        A text in a file of two columns has so by chance; in a wider one, a quote was left open
        and another closed it.
        """
        if self._width < 3:
            return False
        lines = (line.split(self._delimiter) for line in record.split(b"\n")[:-1])
        return all(len(cells) == self._width and cells[0].strip(b'" \r') for cells in lines)

    def _mark(self, line: bytes, mark: str) -> bytes:
        self.wrong = True
        return line.replace(b'"', mark.encode())


def fault(record: str) -> str | None:
    """What is wrong with the quotes of a record's text; None where nothing is."""
    return next((what for mark, what in FAULTS.items() if mark in record), None)


def faults(columns: list[pa.Array], torn: pa.Array) -> pa.Array:
    """Why each record is torn, with what is wrong with its quotes."""
    import pyarrow.compute as pc

    for mark, what in reversed(FAULTS.items()):
        for column in columns:
            wrong = pc.match_substring(column, mark).fill_null(False)
            torn = pc.if_else(wrong, what, torn)
    return torn


def restore(column: pa.Array) -> pa.Array:
    """A column of texts with its quotes as they stood in the file."""
    import pyarrow.compute as pc

    plain = pc.replace_substring(column, DOUBTFUL, "")
    return pc.replace_substring_regex(plain, f"[{UNCLOSED}{TRAILING}]", '"')
