"""The columns by which the country's codes are known in a file or a contract."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class CodeColumn:
    """Codes of digits that a code list of the country holds.

    Attributes:
        word: what a standard name calls such a column.
        relation: `<data set>.<column>` of the list.
        length: digits of a code, zeros in front included.
        headers: English words of a header under which a few codes are enough to tell.
        list_name: the list, as messages call it.
        values_name: the values, as messages call them.
    """

    word: str
    relation: str
    length: int
    headers: frozenset[str]
    list_name: str
    values_name: str


CODES = (
    CodeColumn(
        word="ubigeo",
        relation="ubigeo.ubigeo",
        length=6,
        headers=frozenset(("ubigeo", "inei", "district")),
        list_name="INEI's list",
        values_name="districts of INEI's list",
    ),
)
CODE_WORDS = frozenset(code.word for code in CODES)
PLACE_NAMES = ("department", "province", "district")
PLACES = frozenset(PLACE_NAMES)
"""Words of columns that name a place of the country, the largest first."""
SMALLEST_PLACE = "district"
CALENDAR = frozenset(("epiweek",))
"""Words of columns that count in the country's calendar, beside year, month and week."""
WORDS = Path(__file__).with_name("words.csv")
"""English for words of the country's published headers: columns `published`, `name`."""
