"""The weekly job, walked on releases of the sample: each step once, any week again for nothing.

A case becomes known up to three weeks after its week; each release comes on a Wednesday and holds
what is known of the week that has not ended. `docs/weekly.md` tells what is equal to what.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from candidates import DATA, NAME, candidate, empty_home, tags
from command import yupana
from conftest import SAMPLE
from small_panel import panel

from models.outbreak import USE_CASE as outbreak
from yupana.config.settings import Settings
from yupana.data.lake import delta
from yupana.data.national.calendar import epiweek_starts
from yupana.features import store
from yupana.lineage import events
from yupana.tracking import facts, registry

CASES = "dengue_linelist"
PLACES = ("IQUITOS", "PUNCHANA", "YURIMAGUAS", "NAUTA")
PROVINCES = ("Maynas", "Alto Amazonas", "Loreto")
YEAR, WEEK, DISTRICT = 3, 6, 2
SUNDAYS = {(y, w): day for y, w, day in epiweek_starts(2019, 2022)}
HEADER, *LINES = gzip.decompress(SAMPLE.read_bytes()).decode().split("\r\n")
FIRST_RELEASE = date(2021, 1, 6)


def cases() -> list[tuple[date, str]]:
    """Rows of a few districts, with the day from which each is known."""
    rows = []
    for number, line in enumerate(LINES):
        row = line.split(",")
        if len(row) > WEEK and row[DISTRICT] in PLACES and row[YEAR] in ("2019", "2020", "2021"):
            sunday = SUNDAYS[int(row[YEAR]), int(row[WEEK])]
            rows.append((sunday + timedelta(days=1 + number % 25), line))
    return rows


@dataclass
class Job:
    """What runs each week, by the commands."""

    lake: Settings
    folder: Path

    def call(self, *words: str) -> dict[str, Any]:
        output = yupana(self.lake, *words, "--json")
        assert output.code == 0, output.stderr
        return dict(json.loads(output.stdout.splitlines()[-1]))

    def ingest(self, day: date) -> dict[str, Any]:
        path = self.folder / f"{day}.csv"
        if not path.exists():
            rows = [line for known, line in cases() if known <= day]
            path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
        return self.call("ingest", CASES, "--source", str(path), "--as-of", str(day))

    def after(self) -> dict[str, dict[str, Any]]:
        """The steps that follow a release."""
        return {
            "features": self.call("features", NAME),
            "predict": self.call("predict", NAME),
            "monitor": self.call("monitor", NAME, "--no-answers"),
            "nowcast": self.call("nowcast", NAME),
        }

    def of(self, day: date) -> dict[str, str]:
        """The steps of a week once more, and what became of each."""
        dated = ("--as-of", str(day))
        steps = {
            "ingest": self.ingest(day),
            "features": self.call("features", NAME, *dated),
            "monitor": self.call("monitor", NAME, "--no-answers", *dated),
            "nowcast": self.call("nowcast", NAME, *dated),
        }
        return {name: step["status"] for name, step in steps.items()}

    def tables(self) -> dict[str, tuple[int, str]]:
        """Version and rows of every table."""
        results = {}
        for path in sorted(self.lake.lake.glob("*/*")):
            if path.parent.name != "staging" and delta.exists(path):
                rows = sorted(map(str, delta.read(path).rows()))
                digest = hashlib.sha256("\n".join(rows).encode()).hexdigest()
                results[f"{path.parent.name}/{path.name}"] = (delta.version_of(path), digest)
        return results

    def then(self, rows: dict[str, Any]) -> pl.DataFrame:
        """The feature table that `features` made."""
        _, name, version = delta.parts(rows["outputs"][0])
        return ordered(delta.read(self.lake.table("features", name), version))

    def as_of(self, day: date) -> pl.DataFrame:
        """The features of a day, from the table of past days."""
        rows = delta.read(self.lake.table("features", "outbreak_weekly_as_of"))
        return ordered(rows.filter(as_of=day).drop("as_of"))


def ordered(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(sorted(rows.columns)).sort("ubigeo", "event_timestamp")


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
    lake = empty_home(folder)
    model = lake.home / "candidates" / "1"
    model.parent.mkdir()
    candidate(model, wis=1.0)
    outbreak.fit(panel(210), model, seed=5, say=lambda _: None)
    facts.record(lake, model, DATA, seconds=1.0, machine=facts.hardware())
    registry.register(lake, NAME, model, tags("1"))
    events.append(
        lake, "register", NAME, status="done", inputs=("candidate:1",),
        outputs=("model:outbreak@1",),
    )  # fmt: skip
    job = Job(lake, folder)
    releases = [FIRST_RELEASE + timedelta(weeks=n) for n in range(request.param)]
    journey = Walk(job, releases, {}, {})
    with pytest.MonkeyPatch.context() as patch:
        # Feast's definitions name the home in which they were first imported.
        patch.delitem(sys.modules, "feature_repo.outbreak.definitions", raising=False)
        store.feature_store.cache_clear()
        for day in releases:
            journey.first[day] = {"ingest": job.ingest(day), **job.after()}
            journey.again[day] = {"ingest": job.ingest(day), **job.after()}
        yield journey
        sys.modules.pop("feature_repo.outbreak.definitions", None)
        store.feature_store.cache_clear()


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
