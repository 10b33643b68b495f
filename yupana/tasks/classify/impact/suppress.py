"""Which groups show their figures: no count from 1 to 4 is told, nor follows from the others."""

from __future__ import annotations

from typing import Any

import numpy as np

from yupana.core.disclosure import FEWEST

Array = np.ndarray[Any, np.dtype[Any]]


def hidden(counts: Array) -> Array:
    """Which groups do not tell how many texts of each kind they have.

    A group shows all its kinds or none: of three that sum to a known number two tell the third.
    The sizes of hidden groups may be told where none is small: with them and the sums of kinds,
    a cell may still hold as much as the smaller of its group and its kind.

    Args:
        counts: texts by group and kind, shape (groups, kinds); the kinds' sums over all groups
            are known.
    """
    whole = np.column_stack([counts, counts.sum(axis=1)])
    if is_small(counts.sum(axis=0)).any():
        return np.ones(len(counts), bool)
    hide: Array = np.asarray(is_small(whole).any(axis=1))
    while hide.any() and not hide.all() and any(_tells(column[hide]) for column in whole.T):
        shown = np.flatnonzero(~hide)
        hide[min(shown, key=lambda group: (whole[group, -1], group))] = True
    return hide


def is_small(counts: Array) -> Array:
    """Which counts must not be shown."""
    return np.asarray((counts > 0) & (counts < FEWEST))


def _tells(counts: Array) -> bool:
    """Whether the sum of hidden counts shows that one of them is small; see `core.disclosure`."""
    there = counts[counts > 0]
    return bool(is_small(there).any() and there.sum() - (len(there) - 1) < FEWEST)
