"""What is hidden of a comparison tells, all together, no small number either."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from yupana.validation.changes.hidden import Part, hidden, of_periods, small, sum_of

COUNT = st.one_of(st.integers(0, 8), st.integers(0, 60))
PAIRS = st.lists(st.tuples(COUNT, COUNT).filter(any), max_size=12)


def parts_of(pairs: list[tuple[int, int]]) -> list[Part]:
    return [Part(one, other, (one > 0, other > 0)) for one, other in pairs]


@given(PAIRS)
def test_hidden_parts_together_tell_no_small_number(pairs: list[tuple[int, int]]) -> None:
    parts = parts_of(pairs)
    indices = hidden(parts, (), least=1)
    assert all(n in indices for n, part in enumerate(parts) if part.tells)
    if indices and len(indices) < len(parts):
        group = sum_of(parts[n] for n in indices)
        assert len(indices) > 1 and not small(group.before) and not small(group.after)
        assert not small(group.step) or group.step == sum_of(parts).step


def test_as_many_rows_as_parts_hide_one_more() -> None:
    assert hidden(parts_of([(1, 1)] * 5 + [(20, 20), (30, 30)]), (), least=1) == set(range(6))


def test_a_total_that_is_not_shown_keeps_one_part() -> None:
    parts = parts_of([(20, 27), (20, 15)])
    assert hidden(parts, ()) == set() and hidden(parts, (), total=False) == {1}


def test_new_periods_are_hidden_by_new_periods_or_the_movement_is() -> None:
    parts = parts_of([(20, 30), (20, 22), (40, 40), (0, 3), (0, 5), (0, 9)])
    past = [True] * 3 + [False] * 3
    assert of_periods(parts, past) == ({0, 1, 3, 4}, True)
    assert of_periods(parts[:4], past[:4])[1] is False
