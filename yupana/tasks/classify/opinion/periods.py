"""The weeks or months of a span, in blocks that are compared: four weeks, or three months."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from yupana.tasks.classify.opinion.result import Every

Array = np.ndarray[Any, np.dtype[Any]]

LONGEST_BY_WEEK = 190
"""Days: a longer span is told by month."""

BLOCK: dict[Every, int] = {"week": 4, "month": 3}
YEAR: dict[Every, int] = {"week": 13, "month": 4}
"""Blocks after which the season is the same."""


@dataclass(frozen=True)
class Periods:
    """The periods of a span, in order.

    Attributes:
        starts: their first days.
        finished: whether the span holds all of each.
        blocks: number of each period's block: 0 is the newest whole one, 1 the one before it;
            -1 for what came since.
    """

    every: Every
    starts: tuple[date, ...]
    finished: tuple[bool, ...]
    blocks: tuple[int, ...]

    @property
    def size(self) -> int:
        """Periods in a block."""
        return BLOCK[self.every]

    def is_whole(self, block: int) -> bool:
        """Whether all of a block's periods are there and finished."""
        mine = [done for done, of in zip(self.finished, self.blocks, strict=True) if of == block]
        return len(mine) == self.size and all(mine)

    def number(self, days: Sequence[date]) -> Array:
        """Of each day, the number of its period."""
        at = {start: n for n, start in enumerate(self.starts)}
        return np.array([at[_start(day, self.every)] for day in days], dtype=int)


def of(first: date, last: date) -> Periods:
    """The periods from one day to another, both within."""
    every: Every = "week" if (last - first).days <= LONGEST_BY_WEEK else "month"
    starts = [_start(first, every)]
    while (after := _next(starts[-1], every)) <= last:
        starts.append(after)
    finished = [s >= first and _next(s, every) - timedelta(1) <= last for s in starts]
    whole = [n for n, done in enumerate(finished) if done]
    newest = whole[-1] if whole else -1
    blocks = [-1 if n > newest else (newest - n) // BLOCK[every] for n in range(len(starts))]
    return Periods(every, tuple(starts), tuple(finished), tuple(blocks))


def _start(day: date, every: Every) -> date:
    return day - timedelta(day.weekday()) if every == "week" else day.replace(day=1)


def _next(start: date, every: Every) -> date:
    if every == "week":
        return start + timedelta(7)
    return (start + timedelta(32)).replace(day=1)
