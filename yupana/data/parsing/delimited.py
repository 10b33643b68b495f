"""Cut a delimited text into records and fields by Arrow's CSV parser (RFC 4180), as it streams.

Every record keeps the number of its first line. A record of another width, or with a wrong
quote, is kept and marked.
"""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from yupana.core.errors import TerminalError
from yupana.data.parsing import quotes
from yupana.data.parsing.quotes import Quotes
from yupana.data.parsing.text import EMPTY_LINE, Blocks, Text, restore, without_marks

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.csv import InvalidRow

# The longest record that is cut; also what is held in memory at a time, some times over.
BLOCK = 16 << 20
_LONGEST_HEADER = 100
# Python's own reader, which cuts torn records, stops at 128 KiB a field otherwise.
csv.field_size_limit(BLOCK)


class Header(NamedTuple):
    """The header's records.

    Attributes:
        rows: the cells of each; none where the text has no header.
        delimiter: of several characters the one that the first record has most often.
        next_line: the number of the line after it, from 1.
    """

    rows: list[list[str]]
    delimiter: str
    next_line: int


def header(text: Text, delimiters: str, rows: tuple[int, ...], source: str) -> Header:
    """Read the header's records.

    Args:
        rows: their lines; 0 alone: the text has no header, and nothing is read.

    Raises:
        TerminalError: the text ends before, or a quote is not closed.
    """
    if not rows[0]:
        first = text.lines(1)
        text.put_back(first)
        return Header([], max(delimiters, key=first.count), 1)
    heads: list[list[str]] = []
    delimiter, line = "", 0
    for number in rows:
        record, line = text.line(number, line), number
        delimiter = delimiter or max(delimiters, key=record.count)
        while record.count('"') % 2 and line - number < _LONGEST_HEADER and (more := text.lines(1)):
            record, line = record + more, line + 1
        if record.count('"') % 2:
            raise TerminalError(
                f"A quote in the header, line {number}, is not closed.",
                where=source,
                fix="Mend that line, or `headerRow` in the contract.",
            )
        cells = next(csv.reader(io.StringIO(record, newline=""), delimiter=delimiter), [])
        heads.append([] if cells == [EMPTY_LINE] else [without_marks(c) for c in cells])
    return Header(heads, delimiter, line + 1)


class Records:
    """The records of a text, as Arrow tables.

    Each table has `line` (int64), `torn` (why, or null) and one text column a field, `c0` …;
    an empty field is null. A torn record's fields are those that could be cut. Rows are in the
    file's order but for torn ones, which follow those that stood around them.
    """

    def __init__(self, text: Text, delimiter: str, width: int, line: int, source: str) -> None:
        self._text, self._delimiter, self._width = text, delimiter, width
        self._quotes = Quotes(text, delimiter, width, BLOCK // 2)
        self._line, self._source = line, source
        self._names = [f"c{i}" for i in range(width)]
        self._torn: deque[InvalidRow] = deque()
        self._ordinal = 1

    def tables(self) -> Iterator[pa.Table]:
        """All records.

        Raises:
            TerminalError: a record never ends; names its line.
        """
        import pyarrow as pa

        try:
            for batch in self._reader():
                yield from self._numbered(batch)
        except pa.ArrowInvalid as error:
            if "Empty CSV" in str(error):
                yield self._cut([])
                return
            if "straddling" not in str(error):
                raise
            raise TerminalError(
                f"A record is longer than {BLOCK >> 20} MiB.",
                where=f"{self._source}, in or after line {self._line}",
                fix="This is not the text that the contract describes: look at it by hand.",
            ) from error
        rest = pa.record_batch([pa.array([], pa.string())] * self._width, names=self._names)
        while self._torn:
            self._ordinal = self._torn[0].number
            yield from self._numbered(rest, self._torn[0].number)

    def _reader(self) -> pa.RecordBatchReader:
        import pyarrow as pa
        from pyarrow import csv as arrow

        def keep(row: InvalidRow) -> str:
            self._torn.append(row)
            return "skip"

        return arrow.open_csv(
            pa.PythonFile(Blocks(self._quotes.blocks()), mode="r"),
            # Numbers of torn records are known to a single thread alone.
            read_options=arrow.ReadOptions(
                column_names=self._names, block_size=BLOCK, use_threads=False
            ),
            parse_options=arrow.ParseOptions(
                delimiter=self._delimiter, newlines_in_values=True, invalid_row_handler=keep
            ),
            convert_options=arrow.ConvertOptions(
                column_types=dict.fromkeys(self._names, pa.string()),
                check_utf8=False,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )

    def _numbered(self, batch: pa.RecordBatch, last: int = 0) -> Iterator[pa.Table]:
        """Rows of the right width and the torn ones among them, up to record `last` at least."""
        import numpy as np
        import pyarrow as pa

        end = max(self._ordinal + batch.num_rows - 1, last)
        torn: list[InvalidRow] = []
        while self._torn and self._torn[0].number <= end:
            torn.append(self._torn.popleft())
            end += not last
        size = end - self._ordinal + 1
        whole = np.ones(size, dtype=bool)
        whole[[row.number - self._ordinal for row in torn]] = False
        span = np.ones(size, dtype=np.int64)
        span[whole] += _breaks(batch) if self._quotes.joined else 0
        span[~whole] += np.array([row.text.count("\n") for row in torn], dtype=np.int64)
        lines = self._line + np.cumsum(span) - span
        self._line, self._ordinal = self._line + int(span.sum()), end + 1
        pieces = [(row.text, line) for row, line in zip(torn, lines[~whole].tolist(), strict=True)]
        numbers = pa.array(lines[whole])
        yield self._table(pa.table(batch), numbers, pa.nulls(len(numbers), pa.string()))
        if pieces:
            yield self._cut(pieces)

    def _cut(self, pieces: list[tuple[str, int]]) -> pa.Table:
        """Records of another width, each with the number of its first line."""
        import pyarrow as pa

        lines: list[int] = []
        torn: list[str | None] = []
        rows: list[list[str | None]] = []
        for text, line in pieces:
            # The end of a file of DOS may have a line of its own.
            if not text.strip(" \t\r\x1a") or text == EMPTY_LINE:
                continue
            record = io.StringIO(text, newline="")
            fields = next(csv.reader(record, delimiter=self._delimiter))
            lines.append(line)
            torn.append(quotes.fault(text) or self._fault(fields))
            rows.append([*(f or None for f in fields), *[None] * self._width][: self._width])
        columns = zip(*rows, strict=True) if rows else [[]] * self._width
        arrays = [pa.array(list(values), pa.string()) for values in columns]
        return self._table(
            pa.table(arrays, names=self._names),
            pa.array(lines, pa.int64()),
            pa.array(torn, pa.string()),
        )

    def _fault(self, fields: list[str]) -> str:
        extra = len(fields) == self._width + 1 and not fields[-1]
        why = f": '{self._delimiter}' at the end" if extra else ""
        return f"{len(fields)} fields, not {self._width}{why}"

    def _table(self, table: pa.Table, lines: pa.Array, torn: pa.Array) -> pa.Table:
        import pyarrow.compute as pc

        if self._quotes.wrong:
            torn = quotes.faults(table.columns, torn)
        table = table.append_column("line", lines).append_column("torn", torn)
        if self._width == 1:
            # Arrow takes a mark for a record where records have one field.
            table = table.filter(pc.not_equal(table["c0"], EMPTY_LINE).fill_null(True))
        restored = [quotes.restore] * self._quotes.wrong + [restore] * self._text.marks
        for place, name in enumerate(self._names):
            for plain in restored:
                table = table.set_column(place, name, plain(table[name]))
        return table


def _breaks(batch: pa.RecordBatch) -> Any:
    """Line breaks inside the fields of each record."""
    import numpy as np
    import pyarrow.compute as pc

    breaks = np.zeros(batch.num_rows, dtype=np.int64)
    for column in batch.columns:
        breaks += pc.count_substring(column, "\n").fill_null(0).to_numpy()
    return breaks
