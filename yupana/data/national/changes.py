"""Districts whose INEI code or province changed: what was counted under the former one belongs to
the successor.

`changes.csv` holds each change with its year and source, and only those that a published list
shows by both codes. A district that was cut out of another has no successor here: its past is part
of another's, and how large a part no list tells.
"""

from __future__ import annotations

import csv
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

from yupana.data.national.columns import CODES

PLACE_CODES = CODES[0].relation


class CodeChange(NamedTuple):
    """A former code with its plain names, and the code that took its place in a year."""

    former: str
    successor: str
    since: str
    department: str
    province: str
    district: str
    source: str

    @property
    def names(self) -> tuple[str, str, str]:
        """By which it was known."""
        return self.department, self.province, self.district


@lru_cache(maxsize=1)
def changes() -> tuple[CodeChange, ...]:
    """All changes that are known."""
    text = resources.files(__package__).joinpath("changes.csv").read_text("utf-8")
    return tuple(CodeChange(**row) for row in csv.DictReader(text.splitlines()))


def successors(relation: str | None) -> dict[str, str]:
    """Former code → its successor, for a column that holds codes of a list; none for others."""
    return {c.former: c.successor for c in changes()} if relation == PLACE_CODES else {}
