"""Days that people name: one that lies ahead is a slip of the hand."""

from __future__ import annotations

from datetime import date, timedelta

from yupana.core.errors import UsageError


def must_have_begun(day: date | None, today: date) -> None:
    """Refuse a day of which nothing can be known yet; None is no day.

    Tomorrow is taken: it begins up to fourteen hours before it does in UTC.

    Args:
        today: the date in UTC.

    Raises:
        UsageError: the day lies ahead.
    """
    if day and day > today + timedelta(days=1):
        raise UsageError(
            f"{day} is in the future.",
            where="--as-of",
            fix=f"Look at its year, month and day; today is {today}.",
        )
