"""A year of weekly work: late reports, trainings refused and accepted, a model suspended, a release
taken back. What was forecast of each day is the same afterwards, byte for byte."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pytest
from candidates import NAME
from command import yupana
from weekly_job import CASES, FIRST_RELEASE, Job, train_model, weekly_home

from yupana.data.lake import delta

WEEKS = 52
REFUSED, ACCEPTED, SUSPENDED, RESUMED, RETRACTED = (9, 38), 19, 25, 27, 31
"""In which weeks it happens."""


@dataclass
class Year:
    """The job after its year.

    Attributes:
        forecasts: by release, the bytes of all rows that were forecast as of its day, of
            districts and of areas.
        seconds: by release.
        megabytes: of the home after each release.
        aliases: that trainings got, in their order.
    """

    job: Job
    forecasts: dict[date, list[bytes]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)


def forecast(job: Job, day: date) -> list[bytes]:
    """Rows as of a day, from the versions that the step names."""
    step = job.call("predict", NAME, "--as-of", str(day))
    tables = [ref for ref in step["outputs"] if ref.startswith("delta:")]
    origin, model = date.fromisoformat(step["data_as_of"]), step["model"]
    rows = []
    for ref in tables:
        zone, name, version = delta.parts(ref)
        table = delta.read(job.lake.table(zone, name), version)
        mine = table.filter(origin=origin, model=model)
        rows.append(mine.sort(sorted(mine.columns)).write_ipc(None).getvalue())
    assert len(rows) == 2 and step["day"] == str(day)
    return rows


def incidents(year: Year, week: int) -> None:
    """What happens besides releases."""
    job = year.job
    reason = ("--reason", "a test of a year")
    if week in REFUSED or week == ACCEPTED:
        wis = 0.5 if week == ACCEPTED else 1.5
        year.aliases.append(train_model(job.lake, len(year.aliases) + 2, wis))
    elif week == SUSPENDED:
        job.call("governance", "suspend", NAME, *reason)
        refused = yupana(job.lake, "predict", NAME)
        assert refused.code == 1 and "suspend" in refused.stderr, refused
    elif week == RESUMED:
        job.call("governance", "resume", NAME, *reason)
    elif week == RETRACTED:
        job.call("retract", f"{CASES}@{week - 1}", *reason)


@pytest.fixture(scope="module", params=[pytest.param(WEEKS, marks=pytest.mark.long)])
def year(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Year]:
    with weekly_home(tmp_path_factory.mktemp("year")) as job:
        year = Year(job)
        for week in range(request.param):
            day, start = FIRST_RELEASE + timedelta(weeks=week), time.monotonic()
            job.ingest(day)
            job.call("features", NAME)
            year.forecasts[day] = forecast(job, day)
            job.call("monitor", NAME, "--no-answers")
            job.call("nowcast", NAME)
            year.seconds.append(time.monotonic() - start)
            year.megabytes.append(size(job.lake.home))
            incidents(year, week)
        yield year


def size(home: Path) -> float:
    return sum(f.stat().st_size for f in home.rglob("*") if f.is_file()) / 2**20


def test_every_days_forecast_is_the_same_after_the_year(year: Year) -> None:
    days = list(year.forecasts)
    Random(3).shuffle(days)
    changed = [day for day in days if forecast(year.job, day) != year.forecasts[day]]
    assert not changed
    grown = (year.megabytes[-1] - year.megabytes[4]) / (len(days) - 5)
    print(f"{max(year.seconds):.1f} s the slowest week, {grown:.2f} MB a week")


def test_the_worse_models_were_refused_and_the_better_accepted(year: Year) -> None:
    assert year.aliases == ["challenger", "champion", "challenger"]
