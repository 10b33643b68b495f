"""Which groups' counts must be hidden, where groups overlap and everyone knows who is in which.

A count from 1 to 4 is not shown (`core.disclosure`). Nor may it follow from the others: an
attacker who knows the districts of every group, and in how many weeks each was scored, solves the
shown counts as linear equations over districts in whole numbers. So each small count, of a group,
of the overlap of two, and of one without the other, is put to that attack: it is safe if, as far
as he can tell, it may be five or more. The audit of Hundepool et al., Statistical Disclosure
Control (2012), section 4.3; their cheapest remedy too: hide one more cell and ask again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from yupana.core.disclosure import FEWEST

Counts = npt.NDArray[np.int64]
Members = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Cell:
    """One count: of a kind, over some atoms."""

    kind: int
    atoms: Members


def hidden(counts: Counts, members: Members, *, public_sums: bool) -> list[bool]:
    """Which groups must not show their counts.

    Args:
        counts: of each kind and atom, shape (kinds, atoms); an atom is a district, or the
            smallest part that groups are made of. A group shows all its kinds or none.
        members: which atoms a group holds, shape (groups, atoms).
        public_sums: whether everyone knows what each atom's kinds sum to.
    """
    # Atoms that are in the same groups are one: they come in no difference.
    _, first, which = np.unique(members, axis=1, return_index=True, return_inverse=True)
    members = members[:, first]
    joined = np.zeros((len(counts), members.shape[1]), dtype=np.int64)
    np.add.at(joined.T, which.ravel(), counts.T)
    of = joined @ members.T
    hide: Members = np.asarray(_small(of).any(axis=0))
    sizes = of.sum(axis=0)
    for cell in _targets(joined, members):
        while not hide.all() and not _safe(joined, cell, members[~hide], public_sums):
            inside = ~hide & (members & cell.atoms).any(axis=1)
            candidates = inside if inside.any() else ~hide
            hide[min(np.flatnonzero(candidates), key=lambda g: (sizes[g], g))] = True
    return [bool(h) for h in hide]


def _small(counts: Counts) -> Members:
    return np.asarray((counts > 0) & (counts < FEWEST))


def _targets(counts: Counts, members: Members) -> list[Cell]:
    """Small counts of groups, of overlaps, and of one without the other."""
    parts = {bytes(m): m for m in members}
    for n, one in enumerate(members):
        for other in members[n + 1 :]:
            for part in (one & other, one & ~other, other & ~one):
                parts.setdefault(bytes(part), part)
    return [
        Cell(kind, part)
        for part in parts.values()
        for kind, of in enumerate(counts)
        if _small(of[part].sum())
    ]


def _safe(counts: Counts, cell: Cell, visible: Members, public_sums: bool) -> bool:
    """Whether the shown sums leave room for five or more in the cell.

    Of fewer than five weeks in all nobody can hide that there are no more; there the shown sums
    must tell nothing that is not known without them.
    """
    high = _end(counts, cell, visible, public_sums, least=False)
    if high >= FEWEST:
        return True
    whole = int(counts[:, cell.atoms].sum()) if public_sums else FEWEST
    return high >= whole and _end(counts, cell, visible, public_sums, least=True) <= 0


def _end(
    counts: Counts, cell: Cell, visible: Members, public_sums: bool, *, least: bool
) -> float:
    """The least, or else the most, that a cell can hold for all that its attacker is shown.

    Args:
        counts: true counts by kind and atom; only sums that are shown or public are used.
        visible: groups whose sums are told, shape (groups, atoms).
    """
    from scipy.optimize import LinearConstraint, milp

    kinds, atoms = counts.shape
    constraints: list[Any] = []
    if len(visible):
        sums = (counts @ visible.T).ravel().astype(float)
        of_groups = np.kron(np.eye(kinds), visible.astype(float))
        constraints.append(LinearConstraint(of_groups, sums, sums))
    if public_sums:
        whole = counts.sum(axis=0).astype(float)
        constraints.append(LinearConstraint(np.tile(np.eye(atoms), kinds), whole, whole))
    goal = np.zeros((kinds, atoms))
    goal[cell.kind, cell.atoms] = 1 if least else -1
    solution = milp(goal.ravel(), constraints=constraints, integrality=np.ones(goal.size))
    # Without a bound there is no solution, only a direction.
    return np.inf if solution.fun is None else abs(round(float(solution.fun)))
