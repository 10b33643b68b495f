"""Whether a file's header is the one that the contract describes."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from itertools import zip_longest

from yupana.core.errors import TerminalError
from yupana.core.progress import Progress
from yupana.data.contract import Contract

_MOST_COLUMNS = 1000
_TOLD = 10


def joined(rows: list[list[str]]) -> list[str]:
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
    known = {c.published for c in contract.read}
    others = [name for name in ((n or "").strip() for n in names) if name and name not in known]
    if others:
        more = f" and {len(others) - _TOLD:,} more" if len(others) > _TOLD else ""
        progress.say(
            f"columns of the file that the contract does not name, left out: "
            f"{', '.join(others[:_TOLD])}{more}"
        )


def _absent(contract: Contract, name: str, header: list[str], where: str) -> TerminalError:
    known = [str(c.published) for c in contract.read]
    free = [h for h in header if h not in known]
    if header[0].lower().startswith("sep="):
        return TerminalError(
            f"The first line is '{header[0]}', which only spreadsheet programs read.",
            where=where,
            fix="Set the contract's `headerRow` to 2, and its `delimiter` to that mark.",
        )
    if len(header) == 1 and (other := _other_delimiter(header[0], contract.delimiter)):
        return TerminalError(
            f"The header is one field, '{header[0][:60]}', and not {len(known)}.",
            where=where,
            fix=f"Set the contract's `delimiter` to {other}.",
        )
    near = difflib.get_close_matches(name, free, n=1, cutoff=0.4) or free[:1]
    shown = ", ".join(header[:20]) + (" …" if len(header) > 20 else "")
    return TerminalError(
        f"The column '{name}' is not in the file.",
        where=f"{where}; it has: {shown}",
        fix=(f"If it is now called '{near[0]}', say so" if near else "Say what replaced it")
        + f" (physicalName) in expectations/{contract.name}/contract.yaml.",
    )


def _other_delimiter(header: str, delimiter: str) -> str | None:
    counts = {mark: header.count(mark) for mark in (";", "\t", "|", ",") if mark not in delimiter}
    mark = max(counts, key=lambda m: counts[m], default="")
    return {"\t": '"\\t"'}.get(mark, f'"{mark}"') if counts.get(mark) else None
