"""Whether there is more or less of a theme than before, or than at this time of last year."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from yupana.core.disclosure import FEWEST
from yupana.tasks.classify import resamples
from yupana.tasks.classify.opinion.periods import YEAR, Periods
from yupana.tasks.classify.opinion.result import Change

Array = np.ndarray[Any, np.dtype[Any]]

COMPARISONS: tuple[Literal["before", "season"], ...] = ("before", "season")


def of(
    periods: Periods, blocks: Mapping[int, int], draws: Array, active: Array, compared: int
) -> tuple[Change, ...]:
    """A label's changes.

    Args:
        blocks: its texts by block, of those that are shown.
        draws: resampled texts by period, shape (draws, periods).
        active: whether a group has a text of the label, shape (groups, periods).
        compared: how many changes the report tells.
    """
    return tuple(_change(against, periods, blocks, draws, active, compared)
                 for against in COMPARISONS)  # fmt: skip


def _change(
    against: Literal["before", "season"], periods: Periods, blocks: Mapping[int, int],
    draws: Array, active: Array, compared: int,
) -> Change:  # fmt: skip
    other = 1 if against == "before" else YEAR[periods.every]
    if not (periods.is_whole(0) and periods.is_whole(other)):
        return Change(against, "unknown", None, None)
    now, then = blocks.get(0), blocks.get(other)
    if now is None or then is None or min(now, then) < FEWEST:
        return Change(against, "unknown", now, then)
    of_block = np.asarray(periods.blocks)
    mine, theirs = of_block == 0, of_block == other
    groups = int(active[:, mine | theirs].any(axis=1).sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = draws[:, mine].sum(axis=1) / draws[:, theirs].sum(axis=1)
    ends = resamples.interval(ratios, groups)
    strict = resamples.interval(ratios, groups, compared)
    if ends is None or strict is None:
        return Change(against, "unknown", now, then, round(now / then, 2))
    says: Literal["more", "less", "unsure"] = (
        "more" if strict[0] > 1 else "less" if strict[1] < 1 else "unsure"
    )
    rounded = (round(ends[0], 2), round(ends[1], 2))
    return Change(against, says, now, then, round(now / then, 2), rounded)
