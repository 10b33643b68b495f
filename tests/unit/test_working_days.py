"""Peru's public holidays by law, and terms counted in working days and hours."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from yupana.data.national.working_days import LIMA, deadline, holidays, is_working_day

# As the calendars of gob.pe list them.
YEARS = {
    2024: "01-01 03-28 03-29 05-01 06-07 06-29 07-23 07-28 07-29 08-06 08-30 10-08 11-01 12-08 "
    "12-09 12-25",
    2025: "01-01 04-17 04-18 05-01 06-07 06-29 07-23 07-28 07-29 08-06 08-30 10-08 11-01 12-08 "
    "12-09 12-25",
    2026: "01-01 04-02 04-03 05-01 06-07 06-29 07-23 07-28 07-29 08-06 08-30 10-08 11-01 12-08 "
    "12-09 12-25",
}


@pytest.mark.parametrize("year", YEARS)
def test_the_holidays_of_a_year_are_those_of_the_laws(year: int) -> None:
    assert holidays(year) == {date.fromisoformat(f"{year}-{day}") for day in YEARS[year].split()}


def test_a_law_holds_from_its_year_on() -> None:
    assert date(2021, 12, 9) not in holidays(2021) and date(2022, 12, 9) in holidays(2022)
    assert date(2023, 6, 7) not in holidays(2023) and date(2024, 6, 7) in holidays(2024)
    assert date(2022, 7, 23) not in holidays(2022) and date(2023, 7, 23) in holidays(2023)
    assert date(2021, 8, 6) not in holidays(2021) and date(2022, 8, 6) in holidays(2022)


def lima(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LIMA)


@pytest.mark.parametrize(
    ("received", "term", "ends"),
    [
        ("2026-03-02 09:00", {"working_days": 1}, "2026-03-03 17:00"),
        ("2026-03-02 23:30", {"working_days": 1}, "2026-03-04 17:00"),
        ("2026-02-28 10:00", {"working_days": 1}, "2026-03-03 17:00"),
        # Holy Week: Thursday 2 and Friday 3 April 2026.
        ("2026-04-01 10:00", {"working_days": 2}, "2026-04-07 17:00"),
        ("2025-07-22 10:00", {"working_days": 5}, "2025-08-01 17:00"),
        ("2025-12-05 18:00", {"working_days": 1}, "2025-12-11 17:00"),
        ("2026-03-02 09:00", {"hours": 4}, "2026-03-02 13:00"),
        ("2026-03-02 16:00", {"hours": 4}, "2026-03-03 11:00"),
        ("2026-03-02 08:00", {"hours": 9}, "2026-03-02 17:00"),
        ("2026-03-07 03:00", {"hours": 1}, "2026-03-09 09:00"),
        ("2026-03-02 09:00", {"hours": 20}, "2026-03-04 11:00"),
    ],
)
def test_a_term_ends_on_a_working_day(received: str, term: dict[str, int], ends: str) -> None:
    assert deadline(lima(received), **term) == lima(ends)
    assert deadline(lima(received), **term).tzinfo is not None


def test_a_night_in_utc_is_an_evening_in_lima() -> None:
    assert deadline(datetime(2026, 3, 3, 1, tzinfo=UTC), working_days=1) == lima("2026-03-04 17:00")
    assert not is_working_day(date(2026, 3, 1)) and is_working_day(date(2026, 3, 2))


@pytest.mark.parametrize("term", [{}, {"working_days": 1, "hours": 1}, {"hours": -1}])
def test_a_term_is_one_of_both(term: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="working days or in hours"):
        deadline(lima("2026-03-02 09:00"), **term)
