"""How many rows came under a code or name that the country has withdrawn, and where they went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from yupana.core.disclosure import FEWEST
from yupana.data.contracts.columns import Column
from yupana.data.contracts.contract import Contract
from yupana.data.national import changes
from yupana.data.national.changes import CodeChange
from yupana.data.national.places import plain_name

Places = dict[tuple[str, ...], CodeChange]
"""By a code, or by three names."""


def sentences(contract: Contract, parsed: Path) -> list[str]:
    """A sentence for each change that rows came under; small counts are not shown.

    Args:
        parsed: the file's rows as text (`yupana.data.parsing`).
    """
    columns = [c for c in contract.columns if c.relation == changes.PLACE_CODES]
    counts: Counter[tuple[str, CodeChange]] = Counter()
    for column in columns:
        for what, change, rows in _rows_of(column, parsed):
            counts[what, change] += rows
    return [
        f"{_many(rows)} under {what}, withdrawn since {change.since}: they count as "
        f"{change.successor}"
        for (what, change), rows in sorted(counts.items())
    ]


def _rows_of(column: Column, parsed: Path) -> Iterator[tuple[str, CodeChange, int]]:
    """Text, change and rows of each value of a column, or of what it is derived from."""
    import polars as pl

    rows = pl.scan_parquet(parsed)
    sources = list(column.derive_from) if column.derive else [column.name]
    if not set(sources) <= set(rows.collect_schema().names()):
        return
    by_code: Places = {(c.former,): c for c in changes.changes() if c.former in column.codes}
    by_name: Places = {c.names: c for c in changes.changes()}
    withdrawn = by_name if column.derive else by_code
    for *values, count in rows.group_by(sources).len().collect().iter_rows():
        place = tuple(plain_name(value or "") for value in values)
        if change := withdrawn.get(place):
            what = "the name" if column.derive else "the code"
            yield f"{what} {' / '.join(place)}", change, count


def _many(count: int) -> str:
    return f"{count:,} rows came" if count >= FEWEST else f"fewer than {FEWEST} rows came"
