"""What the prediction log stores of a prediction, and how it is looked up."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from answers import NOON, prediction, record

from yupana.config.settings import Settings
from yupana.database.engine import engine
from yupana.predictions import log_writer, lookup, prediction_log
from yupana.predictions.entry import Basis
from yupana.trace.backward import render, to_json, trace


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'platform.db'}"


def test_a_prediction_comes_back_as_it_was_recorded(url: str) -> None:
    one = record(horizon=2)
    log_writer.record(url, [one])
    entry = prediction_log.by_id(url, one.prediction_id, "outbreak")
    assert entry is not None and entry == prediction_log.entries(url, "outbreak")[0]
    assert entry.time == datetime.fromtimestamp(NOON, UTC)
    content = one.prediction
    assert (entry.entity, entry.basis, entry.agency) == ("160101", content.basis, "A")
    assert entry.features == content.features and entry.caveats == content.caveats
    assert (entry.payload, entry.payload_version) == (content.payload, 1), "all that was predicted"
    assert entry.parameters == {"as_of": "2022-01-05", "horizon": 2}, "what was asked for"
    assert prediction_log.by_id(url, "0" * 32, "outbreak") is None


def test_any_kind_of_prediction_is_logged(url: str) -> None:
    """A text's class: a long entity, another payload, nothing asked for beside it."""
    basis = Basis("complaints", "1", "complaints:1", "delta:features/complaints@0", "2026-03-01")
    content = prediction_log.prediction(
        basis, "reclamo/" + "ñ" * 300, {"class": "billing", "scores": [0.75, 0.25]},
        payload_version=4, features={}, caveats=[],
    )  # fmt: skip
    one = record(content)._replace(parameters={})
    log_writer.record(url, [one])
    entry = lookup.by_id(url, one.prediction_id, "complaints")
    assert entry and (entry.entity, entry.payload_version) == (content.entity, 4)
    assert (entry.payload, entry.parameters) == (content.payload, {})
    assert prediction_log.newest_id(url, "complaints") == one.prediction_id
    assert prediction_log.newest_id(url, "outbreak") == ""


def test_the_id_of_another_use_case_is_unknown(url: str) -> None:
    one, other = record(), record(prediction(use_case="cholera"))
    log_writer.record(url, [one, other])
    for find in (prediction_log.by_id, lookup.by_id):
        assert find(url, other.prediction_id, "outbreak") is None
        assert find(url, other.prediction_id, "cholera") == find(url, other.prediction_id, None)
        assert find(url, one.prediction_id, "outbreak") is not None


def test_a_prediction_is_stored_once_and_a_record_once(url: str) -> None:
    records = [record() for _ in range(50)] + [record(prediction("160201"))]
    log_writer.record(url, records)
    log_writer.record(url, records)
    with engine(url).connect() as connection:
        counts = [
            connection.execute(sa.select(sa.func.count()).select_from(t)).scalar()
            for t in (prediction_log.PREDICTIONS, prediction_log.RECORDS)
        ]
    assert counts == [2, 51]


def test_shadows_and_older_records_are_left_out_unless_asked_for(url: str) -> None:
    kinds = ("answer", "shadow", "simulation")
    log_writer.record(url, [record(time=NOON + i, kind=k) for i, k in enumerate(kinds)])
    log_writer.record(url, [record(prediction(use_case="cholera"))])
    assert [e.kind for e in prediction_log.entries(url, "outbreak")] == ["answer", "simulation"]
    (shadow,) = prediction_log.entries(url, "outbreak", kinds=("shadow",))
    assert shadow.time == datetime.fromtimestamp(NOON + 1, UTC)
    late = datetime.fromtimestamp(NOON + 2, UTC)
    assert [e.kind for e in prediction_log.entries(url, "outbreak", late)] == ["simulation"]


def test_numbers_of_numpy_and_missing_ones_are_stored_as_json(url: str) -> None:
    odd = prediction(lag=np.float64(2.5), weeks=np.int64(3), gap=float("nan"), wide=float("inf"))
    one = record(odd)._replace(request_id="a\0b")
    log_writer.record(url, [one])
    entry = prediction_log.by_id(url, one.prediction_id, "outbreak")
    assert entry is not None and entry.request_id == "ab"
    assert entry.features == {"rain_mm": 12.5, "lag": 2.5, "weeks": 3, "gap": None, "wide": None}


def test_ids_rise_with_time_and_are_those_of_the_standard() -> None:
    ids = [prediction_log.new_id(NOON + i / 100) for i in range(200)]
    assert ids == sorted(ids) and len(set(ids)) == 200
    assert all(re.fullmatch(r"[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}", i) for i in ids)


def test_a_forked_process_gives_other_ids_than_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prediction_log, "_NUMBERS", count())
    parent = prediction_log.new_id(NOON)
    # What a fork leaves: the same secret, the same number, another process.
    monkeypatch.setattr(prediction_log, "_NUMBERS", count())
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert prediction_log.new_id(NOON) != parent


def test_an_answer_without_an_event_is_traced_by_the_log(url: str, tmp_path: Path) -> None:
    one = record()
    log_writer.record(url, [one])
    log = Settings(home=tmp_path).events
    node = trace(log, one.prediction_id, lambda i: prediction_log.by_id(url, i, None))
    refs = ["model:outbreak@3", "deployment:outbreak:3", "delta:features/outbreak_weekly@2"]
    assert [child.ref for child in node.children] == refs
    tree = to_json(node)
    assert (tree["step"], tree["facts"]["agency"]) == ("answer", "A")
    assert (tree["facts"]["entity"], tree["facts"]["horizon"]) == ("160101", "8")
    assert "2026-03-01 12:00 UTC" in str(render(node).label)
