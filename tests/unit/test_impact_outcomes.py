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
from answers import record

from models.outbreak import USE_CASE as outbreak
from yupana.config.settings import Settings
from yupana.predictions import feedback, log_writer, prediction_log
from yupana.tasks.forecast import payload
from yupana.tasks.forecast.endemic_channel import Channel
from yupana.tasks.forecast.frequency import WEEK
from yupana.tasks.forecast.impact import alerts, outcomes, report
from yupana.tasks.forecast.quantiles import LEVELS, QUANTILES

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
        for i, entity in enumerate(late_lake.DISTRICTS):
            for horizon in outbreak.horizons:
                came = totals[i, week + horizon]
                middle = {0: -1.0, 1: 1e6, 2: came + 1.0}.get(i)
                channel = dict.fromkeys(("channel_low", "channel_middle", "channel_high"), middle)
                quantiles = dict.fromkeys(LEVELS, came + OFF)
                rows.append({"model": "model:outbreak@1", "ubigeo": entity, "horizon": horizon,
                             "origin": saturday(week), **quantiles, **channel})  # fmt: skip
    table = settings.table("forecasts", "outbreak")
    table.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(rows).write_delta(str(table))
    return settings


class Nothing:
    """A method that always forecasts no case."""

    def quantiles(self, rows: pd.DataFrame, levels: tuple[float, ...]) -> np.ndarray:
        return np.zeros((len(rows), len(outbreak.horizons), len(levels)))


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
    assert len(first) == len(late_lake.DISTRICTS) * len(outbreak.horizons)
    # The score of a certain forecast is by how much it is off; of none, the cases.
    assert rows["wis"].tolist() == pytest.approx([OFF] * len(rows))
    assert rows["baseline_wis"].tolist() == pytest.approx(rows["observed"].tolist())
    totals = counts.sum(axis=2)
    one = first[(first["entity"] == late_lake.DISTRICTS[1]) & (first["horizon"] == 3)]
    assert one["observed"].tolist() == [totals[1, LAST - 17]]
    assert not rows["inside_90"].any()


def test_alerts_of_recorded_forecasts_go_by_the_channel_they_were_told_with(
    lake: Settings,
) -> None:
    rows, _ = read(lake, late_lake.known_on(LAST))
    lead = rows[rows["horizon"] == WEEK.lead]
    kinds = lead.groupby("entity")["alert"].agg(set).to_dict()
    a, b, c, *rest = late_lake.DISTRICTS
    assert (kinds[a], kinds[b], kinds[c]) == ({"hits"}, {"quiet"}, {"false_alarms"})
    assert all(kinds[u] == {""} for u in rest)
    assert set(rows[rows["horizon"] != WEEK.lead]["alert"].dropna()) <= {""}


def test_what_is_not_known_yet_and_other_versions_do_not_count(lake: Settings) -> None:
    early, _ = read(lake, late_lake.known_on(LAST - 8))
    late, _ = read(lake, late_lake.known_on(LAST))
    assert early["week"].max() == pd.Timestamp(saturday(LAST - 12)) and len(early) < len(late)
    assert read(lake, late_lake.known_on(LAST), "model:outbreak@2") is None
    assert read(Settings(home=lake.home / "elsewhere"), late_lake.known_on(LAST)) is None


@pytest.mark.parametrize(
    ("middle", "came", "kind"),
    [(12.0, 30.0, "hits"), (8.0, 30.0, "missed"), (12.0, 10.0, "false_alarms"),
     (10.0, 10.0, "quiet"), (12.0, float("nan"), "")],
)  # fmt: skip
def test_an_alert_is_a_median_above_the_channels(middle: float, came: float, kind: str) -> None:
    limits = Channel(5.0, 10.0, 20.0)
    quantiles = middle + np.linspace(-1, 1, len(QUANTILES))
    assert alerts.kind(quantiles, came, limits) == kind
    assert alerts.kind(quantiles, came, None) == ""


def test_feedback_is_counted_and_few_are_not_told(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'platform.db'}"
    one, *more = answers = [record() for _ in range(6)]
    log_writer.record(url, answers)
    assert report.feedback_counts(url, "outbreak") == {"observed": 0, "complaint": 0, "agencies": 0}
    for n, answer in enumerate([one, one, *more]):
        outcome = {"week_ending": "2022-01-08", "cases": n}
        _feedback(url, answer.prediction_id, "A", "observed", outcome)
    for _ in range(2):
        _feedback(url, one.prediction_id, "B", "complaint", {}, "No.")
    few = {"observed": 6, "complaint": None, "agencies": None}
    assert report.feedback_counts(url, "outbreak") == few
    nothing = {"observed": 0, "complaint": 0, "agencies": 0}
    assert report.feedback_counts(url, "cholera") == nothing, "what is said of another use case"


def _feedback(
    url: str, prediction_id: str, agency: str, kind: str, outcome: dict[str, Any], comment: str = ""
) -> None:
    entry = prediction_log.by_id(url, prediction_id, "outbreak")
    assert entry
    feedback.add(
        url, entry, kind, outcome, comment, schema=payload.outcome(WEEK),
        author=feedback.Author("k", agency), now=datetime(2026, 3, 1, tzinfo=UTC),
    )  # fmt: skip
