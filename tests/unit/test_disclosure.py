"""No count from 1 to 4 is shown, nor told by the ones beside it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from yupana.core.disclosure import FEWEST, hide, hide_within, largest


def test_one_small_count_takes_the_next_with_it() -> None:
    assert hide([10, 3, 7]) == [10, None, None]
    assert hide([10, 3, 2, 7]) == [10, None, None, None]
    assert hide([10, 3, 3, 7]) == [10, None, None, 7]
    assert hide([9, 1, 1, 1, 1, 1, 0]) == [None, None, None, None, None, None, 0]
    assert hide([1, 1, 1, 1, 1, 0]) == [None] * 6
    assert hide([10, 0, 5]) == [10, 0, 5]
    assert hide([2]) == [None]


def test_a_small_count_takes_one_of_its_own_total_with_it() -> None:
    assert hide_within([10, 3, 6, 7], ["a", "a", "b", "b"]) == [None, None, 6, 7]
    assert hide_within([10, 3, 6, 7], [""] * 4) == [10, None, None, 7] == hide([10, 3, 6, 7])
    assert hide_within([6, 10, 7, 3], ["b", "a", "b", "a"]) == [6, None, 7, None]


def test_others_hold_what_is_small_and_what_is_past_the_largest() -> None:
    assert largest({"a": 9, "b": 8, "c": 7}, 2) == ([("a", 9), ("b", 8)], (1, 7))
    assert largest({"a": 9, "b": 8, "c": 1}, 5) == ([("a", 9)], (2, 9))
    assert largest({"a": 9, "b": 3, "c": 3}, 5) == ([("a", 9)], (2, 6))
    assert largest({"a": 2, "b": 1}, 5) == ([], (2, None))
    assert largest({"a": 9}, 5) == ([("a", 9)], (0, 0))


@given(st.lists(st.integers(0, 30), max_size=12))
def test_hidden_counts_cannot_be_found_from_the_total(counts: list[int]) -> None:
    cells = hide(counts)
    hidden = [c for c, s in zip(counts, cells, strict=True) if s is None]
    assert all(s is None or s == 0 or s >= FEWEST for s in cells)
    if hidden and any(s for s in cells):
        assert sum(hidden) - (len(hidden) - 1) >= FEWEST, "each may be five or more"


@given(st.dictionaries(st.text(max_size=3), st.integers(1, 30), max_size=12), st.integers(1, 5))
def test_largest_keeps_every_row(counts: dict[str, int], most: int) -> None:
    cells, (values, rows) = largest(counts, most)
    assert len(cells) + values == len(counts) and len(cells) <= most
    assert all(n >= FEWEST for _, n in cells)
    assert sum(n for _, n in cells) + (rows or 0) == sum(counts.values()) or rows is None
    assert rows is None or rows == 0 or rows >= FEWEST
