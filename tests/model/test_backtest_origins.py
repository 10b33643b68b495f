"""Origins of a backtest: read from text, by themselves, and refused."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest

from yupana.core.errors import UsageError
from yupana.tasks.forecast.backtest import origins
from yupana.tasks.forecast.frequency import WEEK

HORIZONS = 8


@pytest.mark.parametrize(
    ("last", "span"),
    [
        (date(2021, 12, 26), "2019-W01:2021-W44:4"),
        (date(2023, 12, 24), "2021-W01:2023-W44:4"),
        (date(2022, 2, 20), "2019-W01:2021-W52:4"),
    ],
)
def test_the_span_by_itself_follows_the_data(last: date, span: str) -> None:
    assert origins.newest(last, HORIZONS, WEEK) == span
    weeks = origins.parse(span, WEEK)
    assert weeks[-1].start <= last - timedelta(weeks=HORIZONS)


def test_the_official_origins_are_every_fourth_week_with_a_53rd_counted() -> None:
    days = origins.parse("2019-W01:2021-W44:4", WEEK)
    assert len(days) == 38
    assert (str(days[0]), str(days[-1])) == ("2019-W01", "2021-W44")
    assert "2020-W53" in map(str, days)
    assert {(b.start - a.start).days for a, b in pairwise(days)} == {28}
    firsts = [str(next(o for o in days if o.year == year)) for year in (2019, 2020, 2021)]
    assert firsts == ["2019-W01", "2020-W01", "2021-W04"]


@pytest.mark.parametrize(
    "text",
    ["2019-W01", "2019-W01:2021-W44", "2019-1:2021-44:4", "2019-W53:2021-W44:4",
     "2021-W44:2019-W01:4", "2019-W01:2021-W44:0"],
)  # fmt: skip
def test_origins_of_another_form_are_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        origins.parse(text, WEEK)
    assert "2019-W01:2021-W44:4" in caught.value.fix
