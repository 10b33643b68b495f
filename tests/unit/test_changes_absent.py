"""What used to come and lacks in the newest period of a release."""

from __future__ import annotations

import pytest
from change_rows import WEEKS, Row, compared

from yupana.validation.changes import bounds
from yupana.validation.changes.absent import Absent


def rows(weeks: int, **counts: int) -> list[Row]:
    """So many rows of each class in every week."""
    listed = [(n, k) for n in range(weeks) for k, many in counts.items() for _ in range(many)]
    return [(i, WEEKS[n], k, 1, 1.0) for i, (n, k) in enumerate(listed)]


@pytest.mark.parametrize(
    ("newest", "expected"),
    [
        ({"A": 20, "B": 6}, ()),
        ({"A": 20}, (Absent("class", str(WEEKS[4]), 1, ("B",)),)),
        ({"A": 12}, ()),
        ({"B": 6}, (Absent("class", str(WEEKS[4]), 1, ("A",)),)),
    ],
    ids=["all there", "one lacks", "a week that is just begun", "the large one lacks"],
)
def test_a_code_without_a_row_where_five_were_to_be_expected(newest, expected) -> None:
    before = rows(4, A=20, B=6)
    fresh = [(1000 + n, WEEKS[4], *row[2:]) for n, row in enumerate(rows(1, **newest))]
    comparison = compared(before, [*before, *fresh])
    assert comparison.change.absent == expected
    told = bounds.warnings(bounds.Bounds(None, None, False), comparison)
    assert any("has no row of class" in line for line in told) == bool(expected)


def test_who_did_not_come_each_week_is_not_missed() -> None:
    before = [row for row in rows(4, A=20, B=30) if row[1] != WEEKS[2] or row[2] == "A"]
    fresh = [(1000 + n, WEEKS[4], *row[2:]) for n, row in enumerate(rows(1, A=20))]
    assert compared(before, [*before, *fresh]).change.absent == ()
