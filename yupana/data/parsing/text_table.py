"""The table that every format is read into: a row a record, its fields as texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pyarrow as pa


class NamedTexts(NamedTuple):
    """A document's rows: the names of its columns, which may stand twice, and texts by place.

    Attributes:
        table: as of `text_table`.
    """

    names: list[str]
    table: pa.Table


def text_table(
    lines: Sequence[int], torn: Sequence[str | None], fields: Sequence[pa.Array]
) -> pa.Table:
    """A table of `line` (int64), `torn` (why a record cannot be read; else null) and a column of
    texts for each field, `c0` …, with null for an empty one."""
    import pyarrow as pa

    heads = ["line", "torn", *(f"c{i}" for i in range(len(fields)))]
    about = [pa.array(lines, pa.int64()), pa.array(torn, pa.string())]
    return pa.table([*about, *fields], names=heads)
