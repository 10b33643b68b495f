"""A published line list whose cases come late by a known distribution, in weekly versions."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from deltalake import CommitProperties, write_deltalake

from yupana.config.settings import Settings
from yupana.data.lake import delta
from yupana.lineage import events

NAME = "dengue_linelist"
FIRST = date(2017, 1, 1)
DISTRICTS = ("160101", "160112", "160201", "160301", "160501")
MEANS = np.array([60.0, 20.0, 8.0, 2.0, 0.3])
DELAYS = np.array([0.4, 0.3, 0.15, 0.08, 0.07])
"""Share of the cases that becomes known 0, 1, … weeks after the week's end."""

KNOWN = np.cumsum(DELAYS)
HISTORY = 120


def true_counts(weeks: int, seed: int = 5) -> np.ndarray:
    """Cases by district, week and weeks of delay, shape (districts, weeks, delays)."""
    rng = np.random.default_rng(seed)
    season = np.exp(0.6 * np.sin(2 * np.pi * np.arange(weeks) / 52))
    means = MEANS[:, None] * season
    cases = rng.negative_binomial(6, 6 / (6 + means))
    return np.stack([rng.multinomial(n, DELAYS) for n in cases.ravel()]).reshape(
        len(MEANS), weeks, len(DELAYS)
    )


def known_on(week: int) -> date:
    """The Wednesday after a week's end, when its first version is published."""
    return FIRST + timedelta(weeks=week, days=10)


def vintage(counts: np.ndarray, week: int) -> pl.DataFrame:
    """What is known once a week was first reported: `ubigeo`, `week_start`, `cases`."""
    rows = []
    for i, ubigeo in enumerate(DISTRICTS):
        for w in range(week + 1):
            cases = int(counts[i, w, : week - w + 1].sum())
            if cases:
                rows.append((ubigeo, FIRST + timedelta(weeks=w), cases))
    return pl.DataFrame(rows, schema=["ubigeo", "week_start", "cases"], orient="row")


def publish(settings: Settings, rows: pl.DataFrame, day: date) -> int:
    """Commit a version as ingestion does; returns its number."""
    table: Path = settings.table("published", NAME)
    table.parent.mkdir(parents=True, exist_ok=True)
    facts = delta.commit_metadata(source_sha256=f"{day:%Y%m%d}" * 8, known_on=day)
    write_deltalake(
        table, rows.to_arrow(), mode="overwrite",
        commit_properties=CommitProperties(custom_metadata={"userMetadata": facts}),
    )  # fmt: skip
    version = delta.version_of(table)
    ref = f"delta:published/{NAME}@{version}"
    events.append(settings, "ingest", NAME, status="done", outputs=(ref,))
    return version


def make(home: Path, versions: int, counts: np.ndarray) -> Settings:
    """A lake with one version a week, the first after `HISTORY` weeks."""
    settings = Settings(home=home)
    for week in range(HISTORY, HISTORY + versions):
        publish(settings, vintage(counts, week), known_on(week))
    return settings
