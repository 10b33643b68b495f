"""Cut a delimited text into records and fields by Arrow's CSV parser (RFC 4180), as it streams.

Every record keeps the number of its first line. A record of another width is kept and marked;
where it spans lines, a quote was probably left open, and its lines are cut one by one.
"""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from yupana.core.errors import TerminalError
from yupana.data.parsing.text import EMPTY_LINE, END, Text, restore

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.csv import InvalidRow

# The longest record that is cut; also what is held in memory at a time, some times over.
BLOCK = 16 << 20
# Python's own reader, which cuts torn records, stops at 128 KiB a field otherwise.
csv.field_size_limit(BLOCK)


def header(text: Text, delimiters: str, skipped: int) -> tuple[list[str], str, int]:
    """Read the header record after `skipped` lines.

    Returns:
        Names, the delimiter (of several characters the one that it has most often), and the
        number of the line after it.
    """
    text.lines(skipped)
    first = text.lines(1)
    delimiter = max(delimiters, key=first.count)
    line, record = skipped + 1, first
    while record.count('"') % 2 and (more := text.lines(1)):
        record, line = record + more, line + 1
    names = next(csv.reader(io.StringIO(record, newline=""), delimiter=delimiter), [])
    return [] if names in ([EMPTY_LINE], [END]) else names, delimiter, line + 1


class Records:
    """The records of a text, as Arrow tables.

    Each table has `line` (int64), `torn` (why, or null) and one text column a field, `c0` …;
    an empty field is null. A torn record's fields are those that could be cut. Rows are in the
    file's order but for torn ones, which follow those that stood around them.
    """

    def __init__(self, text: Text, delimiter: str, width: int, line: int, source: str) -> None:
        self._text, self._delimiter, self._width = text, delimiter, width
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
                raise TerminalError(
                    "A quote in the header is not closed: it swallows the file.",
                    where=f"{self._source}, before line {self._line}",
                    fix="Mend the line of the names: a quote inside of quotes is written twice.",
                ) from error
            if "straddling" not in str(error):
                raise
            raise TerminalError(
                f"A record has no end within {BLOCK >> 20} MiB: a quote is not closed.",
                where=f"{self._source}, in or after line {self._line}",
                fix="Look for a quote that is opened and never closed there; mend the file.",
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
            pa.PythonFile(self._text, mode="r"),
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
        span[whole] += _breaks(batch) if self._text.quotes else 0
        span[~whole] += np.array([row.text.count("\n") for row in torn], dtype=np.int64)
        lines = self._line + np.cumsum(span) - span
        self._line, self._ordinal = self._line + int(span.sum()), end + 1
        pieces = [(row.text, line) for row, line in zip(torn, lines[~whole].tolist(), strict=True)]
        numbers = pa.array(lines[whole])
        if batch.num_rows and (open_record := self._open(batch)):
            pieces.append((open_record, numbers[-1].as_py()))
            batch, numbers = batch.slice(0, batch.num_rows - 1), numbers[:-1]
        yield self._table(pa.table(batch), numbers, pa.nulls(len(numbers), pa.string()))
        if pieces:
            yield self._cut(pieces)

    def _open(self, batch: pa.RecordBatch) -> str | None:
        """The text of a last record that swallowed the end of the file, because a quoted field
        was never closed; None where the last record is sound."""
        row = [column[-1].as_py() or "" for column in batch.columns]
        broken = next((i for i, field in enumerate(row) if "\n" in field), None)
        if broken is None or END not in row[-1]:
            return None
        row[broken] = f'"{row[broken]}'
        return self._delimiter.join(row)

    def _cut(self, pieces: list[tuple[str, int]]) -> pa.Table:
        """Records of another width; the lines that an open quote made one record are cut apart."""
        import pyarrow as pa

        lines: list[int] = []
        torn: list[str | None] = []
        rows: list[list[str | None]] = []
        for text, first in pieces:
            for line, part in enumerate(text.split("\n"), first):
                if not part.strip() or part in (EMPTY_LINE, END):
                    continue
                fields, closed = _fields(part, self._delimiter)
                lines.append(line)
                torn.append(self._fault(fields) if closed else "a quote is not closed")
                rows.append([*(f or None for f in fields), *[None] * self._width][: self._width])
        columns = zip(*rows, strict=True) if rows else [[]] * self._width
        arrays = [pa.array(list(values), pa.string()) for values in columns]
        return self._table(
            pa.table(arrays, names=self._names),
            pa.array(lines, pa.int64()),
            pa.array(torn, pa.string()),
        )

    def _fault(self, fields: list[str]) -> str | None:
        """Why a record is torn; None where it is not."""
        if len(fields) == self._width:
            return None
        extra = len(fields) == self._width + 1 and not fields[-1]
        why = f": '{self._delimiter}' at the end" if extra else ""
        return f"{len(fields)} fields, not {self._width}{why}"

    def _table(self, table: pa.Table, lines: pa.Array, torn: pa.Array) -> pa.Table:
        import pyarrow as pa
        import pyarrow.compute as pc

        table = table.append_column("line", lines).append_column("torn", torn)
        if self._width == 1:
            # Arrow takes a mark for a record where records have one field.
            marks = pc.is_in(table["c0"], pa.array([EMPTY_LINE, END]))
            table = table.filter(pc.invert(marks))
        if self._text.marks:
            for place, name in enumerate(self._names):
                table = table.set_column(place, name, restore(table[name]))
        return table


def _breaks(batch: pa.RecordBatch) -> Any:
    """Line breaks inside the fields of each record."""
    import numpy as np
    import pyarrow.compute as pc

    found = np.zeros(batch.num_rows, dtype=np.int64)
    for column in batch.columns:
        found += pc.count_substring(column, "\n").fill_null(0).to_numpy()
    return found


def _fields(line: str, delimiter: str) -> tuple[list[str], bool]:
    """A line's fields, and whether its quotes are closed."""
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True)), True
    except csv.Error:
        return line.split(delimiter), False
