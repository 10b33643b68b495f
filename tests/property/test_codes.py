"""The epidemiological calendar, place names and event references hold for any value."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yupana.data.national.calendar import epiweek_starts
from yupana.data.national.places import plain_name, ubigeos

YEARS = st.integers(min_value=1995, max_value=2035)


@given(YEARS)
def test_weeks_follow_each_other_and_start_on_sunday(year: int) -> None:
    starts = [day for _, _, day in epiweek_starts(year, year + 1)]
    assert {b - a for a, b in pairwise(starts)} == {timedelta(days=7)}
    assert all(day.isoweekday() == 7 for day in starts)


@given(YEARS)
def test_week_one_has_four_days_or_more_in_january(year: int) -> None:
    first = next(day for y, w, day in epiweek_starts(year, year) if w == 1)
    days = [first + timedelta(days=i) for i in range(7)]
    assert sum(day.year == year and day.month == 1 for day in days) >= 4


def test_week_53_exists_where_the_ministry_has_cases() -> None:
    years = {y for y, w, _ in epiweek_starts(2010, 2021) if w == 53}
    assert years == {2014, 2020}  # ISO would say 2015 and 2020


@given(st.text(max_size=30))
def test_a_plain_name_stays_as_it_is(name: str) -> None:
    assert plain_name(plain_name(name)) == plain_name(name)


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (("LORETO", "MAYNAS", "IQUITOS"), "160101"),
        (("LORETO", "DATEM DEL MARAÑON", "ANDOAS"), "160706"),
        (("LIMA", "LIMA", "LIMA"), "150101"),  # RENIEC's code of Iquitos: never mix the two
    ],
)
def test_ubigeo_is_ineis(names: tuple[str, str, str], code: str) -> None:
    assert ubigeos()[names] == code
