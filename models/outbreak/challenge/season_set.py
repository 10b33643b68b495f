"""Which seasons a challenge is about: of which city, in which order, none absent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from itertools import pairwise

import numpy as np

from models.outbreak.challenge.season_targets import CITIES, City, Counts
from yupana.core.errors import TerminalError, UsageError

# A season starts after the city's quietest week: end of April in San Juan, July in Iquitos.
_FIRST_MONTHS = {4: "san_juan", 5: "san_juan", 6: "iquitos", 7: "iquitos"}


def join(train: Mapping[str, Counts], test: Mapping[str, Counts], where: str) -> dict[str, Counts]:
    """Training and test seasons in order; seasons that both files hold are taken once.

    Raises:
        TerminalError: the files disagree on a season, there is no season to test on, or one
            starts before the training seasons end.
    """
    for season in train.keys() & test.keys():
        differ = np.flatnonzero(train[season] != test[season])
        if differ.size:
            raise TerminalError(
                f"The two files disagree on season {season}.",
                where=f"{where}, season_week {differ[0] + 1}, column total_cases",
                fix="Give files of the same city and the same release.",
            )
    new = sorted(test.keys() - train.keys())
    if not new or new[0] < max(train):
        raise TerminalError(
            f"Season {new[0]} of the test file is before the last training season, {max(train)}."
            if new
            else "The test file holds only training seasons.",
            where=f"{where}, column season",
            fix=f"Give a test file with seasons after {max(train)}, or leave --test out to "
            "score the training seasons themselves.",
        )
    return {**train, **{season: test[season] for season in new}}


def follow_each_other(seasons: Iterable[str], where: str) -> None:
    """Raise a TerminalError when a season between the first and the last is absent."""
    years = [int(season[:4]) for season in seasons]
    for before, after in pairwise(years):
        if after != before + 1:
            raise TerminalError(
                f"Season {before + 1}/{before + 2} is absent.",
                where=f"{where}, column season",
                fix="Add it: the forecast of a season starts from how the one before it ended.",
            )


def city(name: str | None, start: date, where: str) -> City:
    """The city by its name, or by the day its season starts.

    Raises:
        UsageError: no city has this name, or a season that starts on this day.
    """
    place = CITIES.get(name or _FIRST_MONTHS.get(start.month, ""))
    if place is None:
        subject = f"City '{name}' has" if name else f"Seasons that start on {start} have"
        raise UsageError(
            f"{subject} no official bins.",
            where=where,
            fix=f"Give --city {' or --city '.join(CITIES)}.",
        )
    return place


def same_city(train: City, test: City, where: str) -> None:
    """Raise a UsageError when the two files are of two cities."""
    if train != test:
        raise UsageError(
            f"The training file is of {train.name}, the test file of {test.name}.",
            where=f"{where}, column week_start_date",
            fix="Give two files of one city, or say which bins to use with --city.",
        )
