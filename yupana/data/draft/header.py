"""Where the names of columns stand: which of a file's first records is no data yet.

A record is judged against the columns below it: a word above numbers is a name, a number above
numbers is a value that came without one. What looks like a person's name is none of a column's.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from yupana.data.draft.columns import missing, names, personal
from yupana.data.draft.columns.values import words

NUMBER = re.compile(r"[+-]?[0-9][0-9.,' ]*([eE][+-]?[0-9]+)?%?")
_MOST = 150
_LONGEST_NAME = 60
_YEAR = re.compile(r"(19|20)[0-9]{2}")
# Shares of a column's cells that make it one of its kind; many names are in no list of names.
_USUAL, _OF_PERSONS = 0.6, 0.3
_FEWEST_WEEKS = 5


class _Sight(NamedTuple):
    """How many cells of a record stand above another kind of values, and above their own."""

    names: int
    values: int


def place(records: list[list[str]], width: int) -> int | None:
    """The record that holds the names of columns; None where none looks like it.

    Args:
        records: cells without blanks around them.
        width: the usual number of cells; names of another width are believed where nothing speaks
            for a record of it.
    """
    usual = [r if len(r) == width else [] for r in records]
    filled = sorted(sum(map(bool, r)) for r in usual if r) or [0]
    least = 0.6 * filled[len(filled) // 2]
    row = None
    for number, record in enumerate(usual[:_MOST]):
        if sum(map(bool, record)) < max(least, 1):
            continue
        sight = _sight(record, [r for r in usual[number + 1 :] if r and r != record])
        if _may_be(record) and sight.names > sight.values:
            return number
        if sight.values:
            # Names stand above all values.
            break
        if _may_be(record):
            row = number
            break
    first = next((n for n, r in enumerate(usual) if sum(map(bool, r)) >= max(least, 1)), 0)
    above = enumerate(records[: min(first, _MOST)])
    other = next((n for n, r in above if len(r) != width and _plain_names(r)), None)
    return row if other is None or width < 2 else other


def _may_be(record: list[str]) -> bool:
    """Whether it is mostly words, each its own."""
    cells = [cell for cell in record if cell]
    # Names of two columns may be one by a slip; a row of data has many such.
    distinct = len(set(cells)) >= 0.6 * len(cells)
    numbers = 0 if _of_time(cells) else sum(bool(NUMBER.fullmatch(cell)) for cell in cells)
    return distinct and 2 * (len(cells) - numbers) > len(cells)


def _of_time(record: list[str]) -> bool:
    """Whether the numbers of a record name columns: years, or weeks from the first on."""
    numbers = [cell for cell in record if NUMBER.fullmatch(cell)]
    if len(numbers) > 1 and all(map(_YEAR.fullmatch, numbers)):
        return True
    ordered = [str(n) for n in range(int(numbers[:1] == ["1"]), len(numbers) + 1)]
    return len(numbers) >= _FEWEST_WEEKS and numbers == ordered[: len(numbers)]


def _plain_names(record: list[str]) -> bool:
    plain = all(_kind(c) == "word" and 0 < len(c) <= _LONGEST_NAME for c in record)
    return plain and len(record) > 1 and len(record) == len(set(record))


def _sight(record: list[str], below: list[list[str]]) -> _Sight:
    above, alike = 0, 0
    of_time = _of_time(record)
    for cell, column in zip(record, zip(*below, strict=True) if below else [()] * len(record),
                            strict=True):  # fmt: skip
        kind, usual = _kind(cell), _usual(column)
        if not cell or missing.is_mark(cell):
            continue
        if of_time and usual == "number" and NUMBER.fullmatch(cell):
            continue
        if _stranger(cell, kind, usual) or kind == usual != "word" or cell in column:
            alike += 1
        elif usual != "word" and kind not in ("number", "year"):
            above += 1
    return _Sight(above, alike)


def _stranger(cell: str, kind: str, usual: str) -> bool:
    """Whether it is a person rather than a column's name: known as one, or of several words that
    no header has, above other names of persons."""
    if kind == "person":
        return usual in ("person", "word")
    unlike = names.meaning(cell) == words(cell)
    return kind == "word" and usual == "person" and " " in cell and unlike


def _usual(column: tuple[str, ...]) -> str:
    """The kind of most cells; `word` where there is none."""
    kinds = Counter(_kind(cell) for cell in column if cell and not missing.is_mark(cell))
    all_cells = sum(kinds.values())
    if kinds["person"] and kinds["person"] >= _OF_PERSONS * all_cells:
        return "person"
    if kinds["year"] < _USUAL * all_cells:
        kinds["number"] += kinds.pop("year", 0)
    kind, count = next(iter(kinds.most_common(1)), ("word", 0))
    return kind if count >= _USUAL * all_cells else "word"


def _kind(cell: str) -> str:
    """What a cell is: a number, a year, an e-mail address, a person, other text by the order of its
    digits and letters, or a word."""
    if _YEAR.fullmatch(cell):
        return "year"
    if NUMBER.fullmatch(cell):
        return "number"
    if "@" in cell:
        return "@"
    if re.search("[0-9]", cell):
        return re.sub("[0-9]+", "9", re.sub(r"[^\W0-9_]+", "a", cell))
    return "person" if personal.is_name(cell) else "word"
