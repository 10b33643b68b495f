"""Which groups' counts must be hidden, where groups overlap and everyone knows who is in which.

A count from 1 to 4 is not shown (`core.disclosure`). Nor may it follow from the others: an
attacker who knows the districts of every group solves the shown counts as linear equations over
districts. So each small count, of a group, of the overlap of two, and of one without the other,
is put to that attack (a linear programme): it is safe if, as far as he can tell, it may be five
or more. The audit of Hundepool et al., Statistical Disclosure Control (2012), section 4.3; their
cheapest remedy too: hide one more cell and ask again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from yupana.core.disclosure import FEWEST

Counts = npt.NDArray[np.int64]
Members = npt.NDArray[np.bool_]


def hidden(counts: Counts, members: Members, most: Counts) -> list[bool]:
    """Which groups must not show their counts.

    Args:
        counts: of each kind and atom, shape (kinds, atoms); an atom is a district, or the
            smallest part that groups are made of. A group shows all its kinds or none.
        members: which atoms a group holds, shape (groups, atoms).
        most: what everyone knows that an atom's count cannot exceed, shape (atoms,).
    """
    # Atoms that are in the same groups are one: they come in no difference.
    _, first, which = np.unique(members, axis=1, return_index=True, return_inverse=True)
    members = members[:, first]
    joined = np.zeros((len(counts), members.shape[1]), dtype=np.int64)
    limits = np.zeros(members.shape[1], dtype=np.int64)
    np.add.at(joined.T, which.ravel(), counts.T)
    np.add.at(limits, which.ravel(), most)
    of = joined @ members.T
    hide = (_small(of)).any(axis=0)
    sizes = of.sum(axis=0)
    for told, cell in _targets(joined, members):
        while not hide.all() and not _safe(told, cell, members[~hide], limits):
            inside = ~hide & (members & cell).any(axis=1)
            left = inside if inside.any() else ~hide
            hide[min(np.flatnonzero(left), key=lambda g: (sizes[g], g))] = True
    return [bool(h) for h in hide]


def _small(counts: Counts) -> Members:
    return np.asarray((counts > 0) & (counts < FEWEST))


def _targets(counts: Counts, members: Members) -> list[tuple[Counts, Members]]:
    """Parts that hold a small count, and that count's kind by atom: groups, overlaps, rests."""
    parts = {bytes(m): m for m in members}
    for n, one in enumerate(members):
        for other in members[n + 1 :]:
            for part in (one & other, one & ~other, other & ~one):
                parts.setdefault(bytes(part), part)
    return [
        (kind, part) for part in parts.values() for kind in counts if _small(kind[part].sum())
    ]


def _safe(counts: Counts, cell: Members, shown: Members, most: Counts) -> bool:
    """Whether the shown sums leave room for five or more in the cell."""
    return bounds(counts, cell, shown, most)[1] >= FEWEST


def bounds(counts: Counts, cell: Members, shown: Members, most: Counts) -> tuple[float, float]:
    """The least and the most that a cell can hold for all that its attacker is shown.

    Args:
        counts: true counts by atom; only their sums over `shown` are used.
        cell: atoms of the cell.
        shown: groups whose sums are told, shape (groups, atoms).
        most: limit of each atom's count.
    """
    from scipy.optimize import linprog

    known: dict[str, Any] = {"bounds": np.stack([np.zeros_like(most), most], axis=1)}
    if len(shown):
        known |= {"A_eq": shown.astype(float), "b_eq": (shown @ counts).astype(float)}
    goal = cell.astype(float)
    ends: Sequence[float] = [
        sign * linprog(sign * goal, method="highs", **known).fun for sign in (1, -1)
    ]
    return float(np.ceil(ends[0] - 1e-6)), float(np.floor(ends[1] + 1e-6))
