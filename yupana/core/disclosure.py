"""Small cells: no count from 1 to 4 is shown, nor can one be found by subtraction.

Fewer than five is the threshold that statistical offices commonly use for frequency tables
(Hundepool et al., Statistical Disclosure Control, 2012, chapter 4: primary and secondary
suppression).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

FEWEST = 5


def hide(counts: Sequence[int]) -> list[int | None]:
    """Counts of parts whose total is known, with None for those that must not be shown.

    A small count hides the next larger ones with it until, as far as their total less the shown
    parts tells, each of the hidden may be five or more; parts of zero come last.
    """
    order = sorted((i for i, c in enumerate(counts) if c > 0), key=lambda i: (counts[i], i))
    hidden = [i for i in order if counts[i] < FEWEST]
    while hidden and len(hidden) < len(order) and _tells([counts[i] for i in hidden]):
        hidden.append(order[len(hidden)])
    if hidden and _tells([counts[i] for i in hidden]):
        hidden = list(range(len(counts)))
    unshown = set(hidden)
    return [None if i in unshown else c for i, c in enumerate(counts)]


def hide_within(counts: Sequence[int], groups: Sequence[str]) -> list[int | None]:
    """As `hide`, for parts of several totals.

    Args:
        groups: name of the total that each count is a part of.
    """
    cells: list[int | None] = list(counts)
    for group in dict.fromkeys(groups):
        mine = [i for i, name in enumerate(groups) if name == group]
        parts = hide([counts[i] for i in mine])
        for i, count in zip(mine, parts, strict=True):
            cells[i] = count
    return cells


def _tells(hidden: Sequence[int]) -> bool:
    """Whether one of them is small for certain, to whoever knows their sum and that none is 0."""
    return sum(hidden) - (len(hidden) - 1) < FEWEST


class Others(NamedTuple):
    """How many categories are not shown by themselves, and their rows together; None: hidden."""

    categories: int
    rows: int | None


class Largest(NamedTuple):
    """The largest categories with their rows, the largest first, and all others."""

    cells: list[tuple[str, int]]
    others: Others


def largest(counts: dict[str, int], most: int, without: int = 0) -> Largest:
    """The largest categories, none of them small.

    Categories under five and those past `most` are others; where their number and rows tell that
    one is under five they take the smallest shown category with them, and where none is left their
    rows are None.

    Args:
        without: rows of no category, whose total with the others is known. From 1 to 4 they are
            hidden as one of the others, whose rows are then None.
    """
    order = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    cells = [pair for pair in order[:most] if pair[1] >= FEWEST]
    others = order[len(cells) :]
    small = [without] if 0 < without < FEWEST else []
    while cells and (others or small) and _tells([*small, *(count for _, count in others)]):
        others.insert(0, cells.pop())
    rows = [count for _, count in others]
    total = None if small or (rows and _tells(rows)) else sum(rows)
    return Largest(cells, Others(len(others), total))


def ends(values: Sequence[Any]) -> tuple[Any, Any] | None:
    """The fifth smallest and the fifth largest of some values; None where too few have any.

    Those further out are held by fewer than five rows.
    """
    if len(values) < 2 * FEWEST - 1:
        return None
    order = sorted(values)
    return order[FEWEST - 1], order[-FEWEST]
