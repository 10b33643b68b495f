"""Whether a file's header is the one that the contract describes."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable
from itertools import zip_longest

from yupana.core.errors import TerminalError
from yupana.core.progress import Progress
from yupana.data.contracts.contract import Contract

_MOST_COLUMNS = 1000
_TOLD = 10
_LONGEST_SHAPE = 40


def combine(rows: list[list[str]]) -> list[str]:
    """The names of columns whose header stands in several rows.

    An empty cell of an upper row belongs to the cell at its left, as merged cells are read.
    """
    filled = []
    for number, row in enumerate(rows):
        above, cells = "", []
        for cell in row:
            above = cell.strip() or above
            cells.append(above if number < len(rows) - 1 else cell.strip())
        filled.append(cells)
    columns = zip_longest(*filled, fillvalue="")
    return [" ".join(part for part in column if part) for column in columns]


def places(contract: Contract, names: Iterable[str | None], source: str) -> dict[str, int]:
    """Where in the file each column that is parsed stands, by its standard name.

    Args:
        names: the file's header; the first has place 0.

    Raises:
        TerminalError: a name that the contract reads is absent or there twice, or the file has
            so many columns that it must be another one.
    """
    header = [(name or "").strip() for name in names]
    row = contract.header_rows[-1]
    where = f"{source}, line {row}"
    if not any(header):
        raise TerminalError(
            f"Line {row} is empty; the names of the columns should stand there.",
            where=where,
            fix=f"Set the contract's `headerRow` to their line, such as {row + 1}; 0 where the "
            "file has no names.",
        )
    if len(header) > max(_MOST_COLUMNS, 10 * len(contract.columns)):
        raise TerminalError(
            f"The file has {len(header):,} columns; the contract knows {len(contract.read)}.",
            where=where,
            fix="This is not the file that the contract describes, or its delimiter is wrong.",
        )
    for column in contract.read:
        name = str(column.published)
        if header.count(name) > 1:
            twice = ", ".join(str(i) for i, other in enumerate(header, 1) if other == name)
            raise TerminalError(
                f"The column '{name}' is in the file {header.count(name)} times.",
                where=f"{where}, columns {twice}",
                fix="Ask the publisher which is meant, and have each named apart.",
            )
        if name not in header and not (column.treatment == "drop" and column not in contract.used):
            raise _absent(contract, name, header, where)
    return {c.name: header.index(str(c.published)) for c in contract.used if c.published in header}


def tell_unnamed(contract: Contract, names: Iterable[str | None], progress: Progress) -> None:
    """Say which columns of the file the contract does not name: they are left out."""
    published = {c.published for c in contract.read}
    others = [name for name in ((n or "").strip() for n in names) if name and name not in published]
    if others:
        more = f" and {len(others) - _TOLD:,} more" if len(others) > _TOLD else ""
        progress.say(
            f"columns of the file that the contract does not name, left out: "
            f"{', '.join(others[:_TOLD])}{more}"
        )


def names_or_shapes(names: Iterable[str], vocabulary: Collection[str]) -> list[str]:
    """A header as a message may show it: where fewer than half of the names that are known stand
    in it, it may be a row of people's data, and the others are told as shapes (`Aaaa`, `999`)."""
    cells = list(names)
    if 2 * len(set(cells) & set(vocabulary)) >= len(set(vocabulary)):
        return cells
    return [cell if cell in vocabulary else _shape(cell) for cell in cells]


def _shape(cell: str) -> str:
    letters = re.sub(r"[^\W\d_]", lambda m: "A" if m[0].isupper() else "a", cell)
    return re.sub(r"\d", "9", letters)[:_LONGEST_SHAPE]


def _absent(contract: Contract, name: str, header: list[str], where: str) -> TerminalError:
    columns = [str(c.published) for c in contract.read]
    if header[0].lower().startswith("sep="):
        return TerminalError(
            f"The first line is '{header[0][:5]}', which only spreadsheet programs read.",
            where=where,
            fix="Set the contract's `headerRow` to 2, and its `delimiter` to that mark.",
        )
    if len(header) == 1 and (other := _other_delimiter(header[0], contract.delimiter)):
        mark = other.strip('"').replace("\\t", "\t")
        cells_text = mark.join(names_or_shapes(header[0].split(mark), columns))
        return TerminalError(
            f"The header is one field, '{cells_text[:60]}', and not {len(columns)}.",
            where=where,
            fix=f"Set the contract's `delimiter` to {other}.",
        )
    # JSON and Parquet name their fields: no row of data can stand there.
    cells = header if contract.format in ("json", "parquet") else names_or_shapes(header, columns)
    return TerminalError(
        f"The column '{name}' is not in the file.",
        where=f"{where}; it has: {', '.join(cells[:20])}{' …' if len(cells) > 20 else ''}",
        fix=_mend(contract, name, columns, cells if cells == header else None),
    )


def _mend(contract: Contract, name: str, columns: list[str], header: list[str] | None) -> str:
    """What to do where a name is absent; `header` is None where it may be a row of data."""
    place = f"(physicalName) in expectations/{contract.name}/contract.yaml."
    if header is None:
        return (
            "If this is no header, set the contract's `headerRow` to the line of the names, or to "
            f"0 where the file came without; else say what replaced it {place}"
        )
    free = [h for h in header if h not in columns]
    near = difflib.get_close_matches(name, free, n=1, cutoff=0.4) or free[:1]
    fix = f"If it is now called '{near[0]}', say so" if near else "Say what replaced it"
    return f"{fix} {place}"


def _other_delimiter(header: str, delimiter: str) -> str | None:
    counts = {mark: header.count(mark) for mark in (";", "\t", "|", ",") if mark not in delimiter}
    mark = max(counts, key=lambda m: counts[m], default="")
    return {"\t": '"\\t"'}.get(mark, f'"{mark}"') if counts.get(mark) else None
