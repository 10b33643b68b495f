"""Lists and tables as Markdown."""

from __future__ import annotations

from collections.abc import Sequence


def bullets(items: Sequence[str]) -> str:
    """A list."""
    return "\n".join(f"- {item}" for item in items)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; a bar in a cell becomes a slash."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in r)} |" for r in lines)
