"""One planted fault, and the places that it concerns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from models.outbreak.replay.history import History

LOOKS = 2
"""Weekly checks after planting within which a fault must be flagged."""


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        kind: `swapped`, `frozen`, `split`, `unit` or `doubled`.
        variant: how, see `faults.VARIANTS`.
        week: index of the first week that has it.
        columns: of the feature table; none: in the source, or all.
        group: prefix of the codes that have it; empty for all.
        number: factor of a unit, or the share that goes to a new code.
        seed: of what is drawn within it.
        visible: whether it can be told at all, by the rules of `faults`.
    """

    kind: str
    variant: str
    week: int
    columns: tuple[str, ...] = ()
    group: str = ""
    number: float = 0.0
    seed: int = 0
    visible: bool = True


def mine(history: History, group: str) -> np.ndarray[Any, Any]:
    """Which places a group has, by the prefix of their codes."""
    return np.array([u.startswith(group) for u in history.counts.entities])
