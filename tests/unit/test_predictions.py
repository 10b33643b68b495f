"""What the prediction log keeps of an answer, and how it is found again."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from answers import NOON, given, told

from yupana.governance import prediction_rows, predictions
from yupana.governance.database import engine
from yupana.governance.trace import render, to_json, trace


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'platform.db'}"


def test_an_answer_comes_back_as_it_was_given(url: str) -> None:
    one = given(horizon=2)
    prediction_rows.record(url, [one])
    row = predictions.found(url, one.prediction_id)
    assert row is not None and row == predictions.logged(url, "outbreak")[0]
    assert row["time"] == datetime.fromtimestamp(NOON, UTC)
    assert (row["ubigeo"], row["model_version"], row["agency"]) == ("160101", "3", "A")
    assert row["features"] == one.told.features and row["caveats"] == one.told.caveats
    assert row["answer"] == one.told.answer[:2], "the weeks that were asked for"
    assert predictions.found(url, "0" * 32) is None


def test_a_forecast_is_stored_once_and_an_answer_once(url: str) -> None:
    answers = [given() for _ in range(50)] + [given(told("160201"))]
    prediction_rows.record(url, answers)
    prediction_rows.record(url, answers)
    with engine(url, predictions.METADATA).connect() as connection:
        counts = [
            connection.execute(sa.select(sa.func.count()).select_from(t)).scalar()
            for t in (predictions.FORECASTS, predictions.ANSWERS)
        ]
    assert counts == [2, 51]


def test_shadows_and_older_answers_are_left_out_unless_asked_for(url: str) -> None:
    kinds = ("answer", "shadow", "simulation")
    prediction_rows.record(url, [given(time=NOON + i, kind=k) for i, k in enumerate(kinds)])
    prediction_rows.record(url, [given(told()._replace(key="x", use_case="cholera"))])
    assert [r["kind"] for r in predictions.logged(url, "outbreak")] == ["answer", "simulation"]
    (shadow,) = predictions.logged(url, "outbreak", kinds=("shadow",))
    assert shadow["time"] == datetime.fromtimestamp(NOON + 1, UTC)
    late = datetime.fromtimestamp(NOON + 2, UTC)
    assert [r["kind"] for r in predictions.logged(url, "outbreak", late)] == ["simulation"]


def test_numbers_of_numpy_and_missing_ones_are_kept_as_json(url: str) -> None:
    odd = told(lag=np.float64(2.5), weeks=np.int64(3), gap=float("nan"), wide=float("inf"))
    one = given(odd)._replace(request_id="a\0b")
    prediction_rows.record(url, [one])
    row = predictions.found(url, one.prediction_id)
    assert row is not None and row["request_id"] == "ab"
    assert row["features"] == {"rain_mm": 12.5, "lag": 2.5, "weeks": 3, "gap": None, "wide": None}


def test_ids_rise_with_time_and_are_those_of_the_standard() -> None:
    made = [predictions.new_id(NOON + i / 100) for i in range(200)]
    assert made == sorted(made) and len(set(made)) == 200
    assert all(re.fullmatch(r"[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}", i) for i in made)


def test_an_answer_without_an_event_is_traced_by_the_log(url: str, tmp_path: Path) -> None:
    one = given()
    prediction_rows.record(url, [one])
    node = trace(tmp_path / "events.jsonl", one.prediction_id, lambda i: predictions.found(url, i))
    refs = ["model:outbreak@3", "deployment:outbreak:3", "delta:features/outbreak_weekly@2"]
    assert [child.ref for child in node.children] == refs
    told_as = to_json(node)
    assert (told_as["step"], told_as["facts"]["agency"]) == ("answer", "A")
    assert "2026-03-01 12:00 UTC" in str(render(node).label)
