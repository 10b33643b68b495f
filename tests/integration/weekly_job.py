"""The weekly job by its commands, on releases of the sample in which cases become known late."""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from candidates import DATA, NAME, candidate, empty_home, tags
from command import yupana
from conftest import SAMPLE
from small_panel import OPTIONS, SHORT, one_network, panel

from models.outbreak import USE_CASE as outbreak
from yupana.config.settings import Settings
from yupana.data.lake import delta
from yupana.data.national.calendar import epiweek_starts
from yupana.features import store
from yupana.lineage import events
from yupana.tasks.forecast.entities import outward
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


@contextmanager
def weekly_home(folder: Path, *, served: bool = False) -> Iterator[Job]:
    """A home with a champion, before its first release; `served`: one that can be deployed."""
    lake = empty_home(folder)
    (lake.home / "candidates").mkdir()
    assert train_model(lake, 1, wis=1.0, served=served) == "champion"
    with pytest.MonkeyPatch.context() as patch:
        # Feast's definitions name the home in which they were first imported.
        patch.delitem(sys.modules, "feature_repo.outbreak.definitions", raising=False)
        store.feature_store.cache_clear()
        yield Job(lake, folder)
        sys.modules.pop("feature_repo.outbreak.definitions", None)
        store.feature_store.cache_clear()


def train_model(lake: Settings, number: int, wis: float, *, served: bool = False) -> str:
    """The alias that a model gets, fitted as a training fits it and scored as told here."""
    model = lake.home / "candidates" / str(number)
    candidate(model, wis)
    with one_network():
        outbreak.fit(
            panel(SHORT), model, seed=4 + number, say=lambda _: None, options=OPTIONS
        )
    if served:
        tested = panel(SHORT).query("part == 'test'").tail(16)
        outward(tested, "ubigeo").to_parquet(model / "reference.parquet")
    facts.record(lake, model, DATA, seconds=1.0, machine=facts.hardware())
    registered = registry.register(lake, NAME, model, tags(str(number)))
    events.append(
        lake, "register", NAME, status="done", inputs=(f"candidate:{number}",),
        outputs=(f"model:{NAME}@{registered.version}",),
    )  # fmt: skip
    return registered.alias
