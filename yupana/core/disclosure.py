"""Small cells: no count from 1 to 4 is shown, nor can one be found by subtraction.

Fewer than five is the threshold that statistical offices commonly use for frequency tables
(Hundepool et al., Statistical Disclosure Control, 2012, chapter 4: primary and secondary
suppression).
"""

from __future__ import annotations

from collections.abc import Sequence

FEWEST = 5


def hide(counts: Sequence[int]) -> list[int | None]:
    """Counts of parts whose total is known, with None for those that must not be shown.

    A small count hides the next larger one as well while the hidden ones are a single part or
    together less than five: the total less the shown parts would tell it.
    """
    order = sorted((i for i, c in enumerate(counts) if c > 0), key=lambda i: (counts[i], i))
    hidden = [i for i in order if counts[i] < FEWEST]
    while hidden and len(hidden) < len(order):
        if len(hidden) > 1 and sum(counts[i] for i in hidden) >= FEWEST:
            break
        hidden.append(order[len(hidden)])
    return [None if i in set(hidden) else c for i, c in enumerate(counts)]


def largest(
    counts: dict[str, int], most: int
) -> tuple[list[tuple[str, int]], tuple[int, int | None]]:
    """The largest categories, and (how many others, their rows together).

    Categories under five and those past `most` are others; a single small one, or a few that are
    under five together, take the smallest shown category with them. When all rows together are
    under five their number is None.
    """
    order = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    shown = [pair for pair in order[:most] if pair[1] >= FEWEST]
    others = order[len(shown) :]
    while shown and others and _tells(others):
        others.insert(0, shown.pop())
    rows = sum(count for _, count in others)
    return shown, (len(others), rows if not others or rows >= FEWEST else None)


def _tells(others: list[tuple[str, int]]) -> bool:
    rows = sum(count for _, count in others)
    return rows < FEWEST or (len(others) == 1 and others[0][1] < FEWEST)
