"""Files of every dialect against an independent reader: no row lost, doubled or changed.

Sound files are read as pandas reads them with the same options. In files with one damaged line,
every other row is read as it was written, or lies in a record that is refused with its line.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from yupana.data.parsing import delimited, quotes
from yupana.data.parsing.text import Text

QUIET = list(HealthCheck)
FEW = hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=QUIET,
                          derandomize=True, database=None)  # fmt: skip
MANY = hypothesis_settings(FEW, max_examples=5000)
DELIMITERS = (",", ";", "|", "\t")
# Letters of every encoding that is drawn, and all that has a meaning in a dialect.
LETTERS = st.sampled_from([*"abzñÁü°0159 .-'\"\",;|\t\n", "\r\n", '""', "NA", "Total"])
CELL = st.lists(LETTERS, max_size=8).map("".join)


@dataclass(frozen=True)
class File:
    """A made-up file: its rows by their id, its bytes, and how it was written."""

    content: bytes
    rows: tuple[tuple[str, ...], ...]
    delimiter: str
    encoding: str
    damaged: int | None
    lines: dict[str, int]


@st.composite
def files(draw: st.DrawFn, damage: bool = False) -> File:
    delimiter, breaks = draw(st.sampled_from(DELIMITERS)), draw(st.sampled_from(["\n", "\r\n"]))
    encoding = draw(st.sampled_from(["utf-8", "latin-1", "cp1252", "utf-16", "utf-8-sig"]))
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    # In two columns a wrong quote may be closed by chance, and nothing shows it.
    width = draw(st.integers(3 if damage else 2, 5))
    cells = draw(st.lists(st.lists(CELL, min_size=width - 1, max_size=width - 1), max_size=12))
    rows = [(f"r{n}", *row) for n, row in enumerate(cells)]
    records = [_record(row, delimiter, breaks, quoting)
               for row in [("id", *(f"c{i}" for i in range(1, width))), *rows]]  # fmt: skip
    damaged = draw(st.integers(0, len(rows) - 1)) if damage and rows else None
    if damaged is not None:
        records[damaged + 1] = draw(damages(records[damaged + 1], delimiter, breaks))
    pairs = list(zip(["", *(row[0] for row in rows)], records, strict=True))
    for _ in range(draw(st.integers(0, 2))):
        pairs.insert(draw(st.integers(1, len(pairs))), ("", breaks))
    lines, text = {}, ""
    for name, record in pairs:
        lines[name] = text.count("\n") + 1
        text += record
    if draw(st.booleans()):
        text = text.removesuffix(breaks)
    return File(text.encode(encoding), tuple(rows), delimiter, encoding, damaged, lines)


def _record(row: tuple[str, ...], delimiter: str, breaks: str, quoting: Any) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=breaks, quoting=quoting).writerow(row)
    return out.getvalue()


@st.composite
def damages(draw: st.DrawFn, record: str, delimiter: str, breaks: str) -> str:
    """A record with a quote too many or too few, another width, or text that is no record."""
    body = record.removesuffix(breaks)
    place = draw(st.integers(0, len(body)))
    insert = draw(st.sampled_from(['"', '"', '"x', delimiter, breaks]))
    kind = draw(st.sampled_from(["insert", "drop", "end", "footer"]))
    changed = {
        "insert": body[:place] + insert + body[place:],
        "drop": body.replace('"', "", 1),
        "end": body + delimiter,
        "footer": "Fuente: Ministerio",
    }[kind]
    return changed + breaks


def parsed(file: File) -> list[tuple[tuple[str, ...], int, str | None]]:
    """(fields, line, torn) of each record, by line."""
    text = Text(io.BytesIO(file.content), file.encoding, "file")
    heads, delimiter, line = delimited.header(text, file.delimiter, (1,), "file")
    records = delimited.Records(text, delimiter, len(heads[0]), line, "file")
    rows = [list(r.values()) for table in records.tables() for r in table.to_pylist()]
    ordered = sorted(rows, key=lambda row: row[-2])
    return [(tuple(x or "" for x in row[:-2]), row[-2], row[-1]) for row in ordered]


def by_pandas(file: File) -> list[tuple[str, ...]]:
    frame = pd.read_csv(
        io.BytesIO(file.content), sep=file.delimiter, encoding=file.encoding, dtype=str,
        keep_default_na=False, quotechar='"', doublequote=True, engine="c",
    )  # fmt: skip
    return [tuple(row) for row in frame.itertuples(index=False)]


def sound(file: File) -> None:
    records = parsed(file)
    assert list(file.rows) == by_pandas(file)
    # A text whose lines all look like records is refused, and its line says so.
    doubtful = {line for _, line, torn in records if torn == quotes.FAULTS[quotes.DOUBTFUL]}
    assert all(torn is None or line in doubtful for _, line, torn in records)
    expected = [row for row in file.rows if file.lines[row[0]] not in doubtful]
    assert [row for row, _, torn in records if torn is None] == expected


def damaged(file: File) -> None:
    records = parsed(file)
    good = [row for row, _, torn in records if torn is None]
    sound_rows = [row for row in good if row in file.rows]
    assert len(sound_rows) == len(set(sound_rows)), "a row stands twice"
    ends = [line for _, line, _ in [*records[1:], ((), 1 << 30, None)]]
    refused = [(line, end) for (_, line, torn), end in zip(records, ends, strict=False) if torn]
    for number, row in enumerate(file.rows):
        if number != file.damaged and row not in good:
            line = file.lines[row[0]]
            assert any(start <= line < end for start, end in refused), f"lost: {row}"


@FEW
@given(file=files())
def test_sound_files_are_read_as_pandas_reads_them(file: File) -> None:
    sound(file)


@FEW
@given(file=files(damage=True))
def test_a_damaged_line_costs_no_other_row_in_silence(file: File) -> None:
    damaged(file)


@pytest.mark.long
@MANY
@given(file=files())
def test_five_thousand_sound_files(file: File) -> None:
    sound(file)


@pytest.mark.long
@MANY
@given(file=files(damage=True), block=st.sampled_from([16, 64, 1 << 22]))
def test_five_thousand_damaged_files(file: File, block: int) -> None:
    before = quotes._BLOCK
    try:
        quotes._BLOCK = block
        damaged(file)
    finally:
        quotes._BLOCK = before
