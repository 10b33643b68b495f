"""Tables on a terminal. Texts stand as they are: brackets in data are no markup."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Column
    from rich.text import Text


def show(*heads: str | Column, rows: Iterable[Sequence[str | Text]], **style: Any) -> None:
    """Print a table.

    Args:
        style: of rich's `Table`, such as its title.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*heads, **style)
    for row in rows:
        table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
    Console().print(table)


def pairs(values: Mapping[str, Any]) -> None:
    """Print names beside their values, but for those that have none."""
    from rich.table import Column
    from rich.text import Text

    rows = [
        (Text(name, style="cyan"), str(value))
        for name, value in values.items()
        if value not in (None, "")
    ]
    # A hash that was cut short could not be searched for.
    show("", Column("", overflow="fold"), rows=rows, show_header=False, box=None)
