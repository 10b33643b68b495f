"""Which counts are shown. What adds up is hidden from the top: labels, blocks of a label, periods
of a block; so that no count from 1 to 4 follows from the others.

The totals of periods over all labels are never told: with them a label's hidden period would be
what the others leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from yupana.core import disclosure

Array = np.ndarray[Any, np.dtype[Any]]


def over_time(counts: Array, blocks: Sequence[int]) -> tuple[list[int | None], dict[int, int]]:
    """A label's periods, None where hidden, and its blocks that are shown.

    Args:
        counts: texts by period.
        blocks: number of each period's block.
    """
    of = np.asarray(blocks)
    names = sorted(set(blocks))
    totals = disclosure.hide([int(counts[of == name].sum()) for name in names])
    cells: list[int | None] = [None] * len(counts)
    for name, total in zip(names, totals, strict=True):
        if total is None:
            continue
        mine = np.flatnonzero(of == name)
        parts = disclosure.hide([int(n) for n in counts[mine]])
        for at, part in zip(mine, parts, strict=True):
            cells[int(at)] = part
    return cells, {n: t for n, t in zip(names, totals, strict=True) if t is not None}


def shown(counts: dict[str, int]) -> dict[str, int | None]:
    """Parts of a known total by name, None where hidden."""
    return dict(zip(counts, disclosure.hide(list(counts.values())), strict=True))
