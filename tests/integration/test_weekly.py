"""The weekly job, walked on releases of the sample: each step once, any week again for nothing.

A case becomes known up to three weeks after its week; each release comes on a Wednesday and holds
what is known of the week that has not ended. `docs/weekly.md` tells what is equal to what.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from candidates import NAME
from weekly_job import CASES, FIRST_RELEASE, PROVINCES, Job, weekly_home

from yupana.config.settings import Settings
from yupana.data.lake import delta
from yupana.lineage import events


@dataclass
class Walk:
    """The job after its weeks: by release, what each step said, first and at once again.

    Attributes:
        releases: Wednesdays on which a release is what is known.
    """

    job: Job
    releases: list[date]
    first: dict[date, dict[str, dict[str, Any]]]
    again: dict[date, dict[str, dict[str, Any]]]


@pytest.fixture(scope="module", params=[3, pytest.param(52, marks=pytest.mark.long)])
def walk(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Walk]:
    """A home with a champion, through some weeks' releases."""
    folder = tmp_path_factory.mktemp("weekly")
    with weekly_home(folder) as job:
        releases = [FIRST_RELEASE + timedelta(weeks=n) for n in range(request.param)]
        journey = Walk(job, releases, {}, {})
        for day in releases:
            journey.first[day] = {"ingest": job.ingest(day), **job.after()}
            journey.again[day] = {"ingest": job.ingest(day), **job.after()}
        yield journey


@pytest.fixture
def job(walk: Walk, tmp_path: Path) -> Job:
    """A copy to go on with."""
    home = shutil.copytree(walk.job.lake.home, tmp_path / "home")
    return Job(Settings(home=home), walk.job.folder)


def test_each_step_runs_once_a_week(walk: Walk) -> None:
    for day in walk.releases:
        assert {s["status"] for s in walk.first[day].values()} == {"done"}, day
        assert {s["status"] for s in walk.again[day].values()} == {"unchanged"}, day


def test_the_week_that_had_not_ended_is_not_in_the_features(walk: Walk) -> None:
    running = 0
    for version, day in enumerate(walk.releases):
        features = walk.first[day]["features"]
        assert features["data_as_of"] == str(day - timedelta(days=4))
        reported = delta.read(walk.job.lake.table("published", CASES), version)
        running += reported["week_start"].max() > day - timedelta(days=6)
    assert running >= len(walk.releases) / 2, "most releases have cases of it"


def test_an_earlier_week_again_changes_nothing_and_does_no_work(walk: Walk, job: Job) -> None:
    for day in walk.releases:
        assert job.of(day) == {**dict.fromkeys(("ingest", "monitor", "nowcast"), "unchanged"),
                               "features": "done"}  # fmt: skip
    tables, log = job.tables(), events.sha256(job.lake.events)
    pages = {p: p.stat().st_mtime_ns for p in job.lake.reports.rglob("*") if p.is_file()}
    for day in walk.releases:
        assert set(job.of(day).values()) == {"unchanged"}
    assert {s["status"] for s in job.after().values()} == {"unchanged"}
    assert job.tables() == tables and events.sha256(job.lake.events) == log
    assert {p: p.stat().st_mtime_ns for p in pages} == pages


def test_features_as_of_a_week_equal_those_made_then(walk: Walk, job: Job) -> None:
    asked = walk.releases[0]
    job.of(asked)
    late = walk.releases[1] + timedelta(days=3)
    assert job.ingest(late)["status"] == "done"
    after = job.after()
    assert {name: s["status"] for name, s in after.items()} == dict.fromkeys(after, "unchanged")
    people = "\n".join(f"{name},Province,100000,200000,300000,400000" for name in PROVINCES)
    source = job.folder / "people.csv"
    source.write_text(f"Name,Status,7/11/93,10/21/07,10/22/17,6/30/22\n{people}\n")
    day = walk.releases[-1] + timedelta(days=1)
    job.call("ingest", "province_population", "--source", str(source), "--as-of", str(day))
    now = job.call("features", NAME)
    assert now["status"] == "done" and job.then(now)["province_population"].min() > 0
    assert set(job.of(asked).values()) == {"unchanged"}
    for week in walk.releases:
        job.of(week)
        features = walk.first[week]["features"]
        assert job.as_of(week).equals(job.then(features)), week
        assert delta.version_of(job.lake.table("features", "outbreak_weekly")) == len(walk.releases)
    assert job.call("features", NAME)["status"] == "unchanged", "a past day takes no one's place"
