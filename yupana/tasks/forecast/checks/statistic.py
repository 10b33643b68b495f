"""A number that a check looks at, before anyone says whether it is far from usual."""

from __future__ import annotations

from typing import NamedTuple


class Statistic(NamedTuple):
    """One number of one period.

    Attributes:
        check: name of the check, see docs/runbooks.md.
        column: feature, or empty.
        group: entity prefix or size group, or empty.
        value: larger is less usual; in a scale whose spread hardly depends on its level.
    """

    check: str
    column: str
    group: str
    value: float

    @property
    def key(self) -> str:
        """Under which its own history is kept."""
        return "|".join(self[:3])
