"""Weeks and months: where they begin and end, shifted and named, over any span of years."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yupana.core.errors import UsageError
from yupana.data.national import calendar
from yupana.tasks.forecast import frequency
from yupana.tasks.forecast.backtest import origins
from yupana.tasks.forecast.frequency import MONTH, WEEK

DAYS = st.dates(date(1985, 1, 1), date(2035, 12, 31))
KINDS = st.sampled_from([WEEK, MONTH])
PERIODS = st.integers(-120, 120)


@given(KINDS, DAYS)
def test_a_day_lies_in_one_period_and_periods_follow_each_other(kind, day: date) -> None:
    start, end = kind.start(day), kind.end(day)
    assert start <= day <= end
    assert {kind.start(start), kind.start(end)} == {start}
    assert kind.shift(start, 1) == end + timedelta(days=1)
    assert (end - start).days + 1 in ({7} if kind is WEEK else {28, 29, 30, 31})


@given(KINDS, DAYS, PERIODS, PERIODS)
def test_shifts_add_up_and_are_counted(kind, day: date, one: int, two: int) -> None:
    start = kind.start(day)
    there = kind.shift(kind.shift(start, one), two)
    assert there == kind.shift(start, one + two) == kind.start(there)
    assert kind.between(start, there) == one + two
    assert kind.ahead(day, one) == kind.end(kind.shift(start, one))


@given(KINDS, DAYS)
def test_a_period_has_ended_once_its_last_day_is_over(kind, day: date) -> None:
    newest = kind.ended(day)
    assert kind.end(newest) <= day < kind.end(kind.shift(newest, 1))


@given(KINDS, DAYS)
def test_a_label_is_read_again(kind, day: date) -> None:
    assert kind.parse(kind.label(day)) == kind.start(day)


@given(DAYS)
def test_weeks_are_those_of_the_calendar_of_paho(day: date) -> None:
    year, number = calendar.epiweek(day)
    assert WEEK.label(day) == f"{year}-W{number:02}"
    starts = {(y, w): first for y, w, first in calendar.epiweek_starts(year, year)}
    assert WEEK.start(day) == starts[year, number]
    assert (WEEK.parse(f"{year}-W53") is None) == ((year, 53) not in starts)


@given(KINDS, DAYS, st.integers(0, 60))
def test_tables_are_shifted_as_days_are(kind, day: date, periods: int) -> None:
    start, end = kind.start(day), kind.end(day)
    later = kind.ahead(end, periods)
    row = pl.DataFrame({"start": [start], "end": [end], "n": [periods]}).select(
        kind.end_of(pl.col("start")).alias("moment"),
        kind.days_ahead(pl.col("end"), pl.col("n")).alias("later"),
    )
    moment = row["moment"][0]
    assert (moment.date(), f"{moment:%H:%M:%S}") == (end, "23:59:59")
    assert row["later"][0] == later
    column = pd.Series(pd.to_datetime([moment]))
    if periods:
        assert (column + kind.offset(periods))[0].date() == later
        assert (pd.Timestamp(moment) + kind.offset(periods)).date() == later
    assert 0 <= kind.slot(column)[0] < kind.slots


@given(KINDS, DAYS, st.integers(1, 30), st.integers(1, 30))
def test_a_span_holds_every_nth_period(kind, day: date, several: int, step: int) -> None:
    last = kind.shift(kind.start(day), several)
    span = origins.parse(f"{kind.label(day)}:{kind.label(last)}:{step}", kind)
    assert [o.start for o in span] == kind.calendar(kind.start(day), last)[::step]
    assert [str(o) for o in span] == [kind.label(o.start) for o in span]
    assert all(o.end == kind.end(o.start) for o in span)


@given(KINDS, DAYS, st.integers(0, 30), st.integers(0, 6))
def test_a_calendar_holds_the_periods_that_begin_in_it(kind, day, several, later: int) -> None:
    first = day + timedelta(days=later)
    last = kind.shift(kind.start(first), several)
    starts = kind.calendar(first, last)
    assert all(first <= start <= last and kind.start(start) == start for start in starts)
    assert len(starts) == several + (kind.start(first) == first)


@pytest.mark.parametrize(
    ("kind", "text"),
    [(MONTH, "2019-W01:2021-W44:4"), (WEEK, "2019-01:2021-12:1"), (MONTH, "2019-13:2021-01:1"),
     (MONTH, "2019-00:2021-01:1"), (MONTH, "2021-02:2021-01:1"), (MONTH, "2019-01:2021-01:0"),
     (MONTH, "2019-01:2021-01"), (WEEK, "2021-W53:2022-W01:1")],
)  # fmt: skip
def test_another_form_is_refused_with_an_example(kind, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        origins.parse(text, kind)
    assert kind.example in caught.value.fix


def test_a_feature_table_says_its_frequency() -> None:
    assert frequency.of(["entity", *MONTH.season]) is MONTH
    assert frequency.of(["entity", *WEEK.season]) is WEEK
    assert frequency.of(["entity"]) is WEEK
