"""What is held against what came: recorded forecasts once their week is known, and alerts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import late_lake
import numpy as np
import pandas as pd
import polars as pl
import pytest
from answers import given

from models import outbreak
from models.channel import Channel
from yupana.config.settings import Settings
from yupana.core.forecast import LEVELS, QUANTILES
from yupana.evaluation.impact import alerts, outcomes, report
from yupana.governance import feedback, prediction_rows

VERSIONS = 24
LAST = late_lake.HISTORY + VERSIONS - 1
OFF = 3.0
"""Cases by which every forecast is too high."""


def saturday(week: int) -> date:
    return late_lake.FIRST + timedelta(weeks=week, days=6)


@pytest.fixture(scope="module")
def counts() -> np.ndarray:
    return late_lake.true_counts(LAST + 10)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, counts: np.ndarray) -> Settings:
    """Weekly publications, and certain forecasts of ten origins that are `OFF` too high.

    The channel of the first district lies far below, that of the second far above, that of the
    third between what came and what was told; the others have none.
    """
    settings = late_lake.make(tmp_path_factory.mktemp("recorded"), VERSIONS, counts)
    totals = counts.sum(axis=2)
    rows = []
    for week in range(LAST - 20, LAST + 1, 2):
        for i, ubigeo in enumerate(late_lake.DISTRICTS):
            for horizon in outbreak.HORIZONS:
                came = totals[i, week + horizon]
                middle = {0: -1.0, 1: 1e6, 2: came + 1.0}.get(i)
                channel = dict.fromkeys(("channel_low", "channel_middle", "channel_high"), middle)
                told = dict.fromkeys(LEVELS, came + OFF)
                rows.append({"model": "model:outbreak@1", "ubigeo": ubigeo, "horizon": horizon,
                             "origin": saturday(week), **told, **channel})  # fmt: skip
    table = settings.table("forecasts", "outbreak")
    table.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(rows).write_delta(str(table))
    return settings


class Nothing:
    """A method that always forecasts no case."""

    def quantiles(self, rows: pd.DataFrame, levels: tuple[float, ...]) -> np.ndarray:
        return np.zeros((len(rows), len(outbreak.HORIZONS), len(levels)))


def read(settings: Settings, day: date, model: str = "model:outbreak@1") -> Any:
    version = SimpleNamespace(name="outbreak", ref=model)
    return outcomes._recorded(settings, version, outbreak, Nothing(), day)


def test_recorded_forecasts_are_scored_once_their_week_is_fully_reported(
    lake: Settings, counts: np.ndarray
) -> None:
    rows, ref = read(lake, late_lake.known_on(LAST))
    assert ref == "delta:forecasts/outbreak@0"
    # All cases of a week are known four weeks after it was first reported.
    assert rows["week"].max() == pd.Timestamp(saturday(LAST - 4))
    first = rows[rows["origin"] == pd.Timestamp(saturday(LAST - 20))]
    assert len(first) == len(late_lake.DISTRICTS) * len(outbreak.HORIZONS)
    # The score of a certain forecast is by how much it is off; of none, the cases.
    assert rows["wis"].tolist() == pytest.approx([OFF] * len(rows))
    assert rows["baseline_wis"].tolist() == pytest.approx(rows["observed"].tolist())
    totals = counts.sum(axis=2)
    one = first[(first["ubigeo"] == late_lake.DISTRICTS[1]) & (first["horizon"] == 3)]
    assert one["observed"].tolist() == [totals[1, LAST - 17]]
    assert not rows["inside_90"].any()


def test_alerts_of_recorded_forecasts_go_by_the_channel_they_were_told_with(
    lake: Settings,
) -> None:
    rows, _ = read(lake, late_lake.known_on(LAST))
    lead = rows[rows["horizon"] == alerts.LEAD]
    kinds = lead.groupby("ubigeo")["alert"].agg(set).to_dict()
    a, b, c, *rest = late_lake.DISTRICTS
    assert (kinds[a], kinds[b], kinds[c]) == ({"hits"}, {"quiet"}, {"false_alarms"})
    assert all(kinds[u] == {""} for u in rest)
    assert set(rows[rows["horizon"] != alerts.LEAD]["alert"].dropna()) <= {""}


def test_what_is_not_known_yet_and_other_versions_do_not_count(lake: Settings) -> None:
    early, _ = read(lake, late_lake.known_on(LAST - 8))
    late, _ = read(lake, late_lake.known_on(LAST))
    assert early["week"].max() == pd.Timestamp(saturday(LAST - 12)) and len(early) < len(late)
    assert read(lake, late_lake.known_on(LAST), "model:outbreak@2") is None
    assert read(Settings(home=lake.home / "elsewhere"), late_lake.known_on(LAST)) is None


@pytest.mark.parametrize(
    ("told", "came", "kind"),
    [(12.0, 30.0, "hits"), (8.0, 30.0, "missed"), (12.0, 10.0, "false_alarms"),
     (10.0, 10.0, "quiet"), (12.0, float("nan"), "")],
)  # fmt: skip
def test_an_alert_is_a_median_above_the_channels(told: float, came: float, kind: str) -> None:
    limits = Channel(5.0, 10.0, 20.0)
    quantiles = told + np.linspace(-1, 1, len(QUANTILES))
    assert alerts.kind(quantiles, came, limits) == kind
    assert alerts.kind(quantiles, came, None) == ""


def test_feedback_is_counted_and_few_are_not_told(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'platform.db'}"
    one = given()
    prediction_rows.record(url, [one])
    now = datetime(2026, 3, 1, tzinfo=UTC)
    assert report.told_back(url) == {"observed": 0, "complaint": 0, "agencies": 0}
    for n in range(6):
        feedback.add(url, one.prediction_id, "observed", date(2022, 1, 8), n, "", "k", "A", now)
    for _ in range(2):
        feedback.add(url, one.prediction_id, "complaint", None, None, "No.", "k", "B", now)
    assert report.told_back(url) == {"observed": 6, "complaint": None, "agencies": None}
