"""The road of an answer: every station, its names in both languages, and the picture."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import pytest
from answers import record

from yupana.cli.oversight import trace
from yupana.config.settings import ROOT, Settings
from yupana.ledger.fault import Fault
from yupana.lineage import events
from yupana.predictions import lake_table, log_writer, lookup, prediction_log
from yupana.predictions.entry import LogEntry
from yupana.trace import backward, graph, kind, provenance, provenance_text
from yupana.trace.index import Index
from yupana.trace.provenance_text import page_facts

RAW, TABLE = "raw:" + "a" * 64, "delta:published/cases@0"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A log of the whole road, and what the fit wrote down of its code."""
    config = Settings(home=tmp_path / "home")
    config.home.mkdir()
    steps = [
        ("land", (), (RAW,),
         {"publisher": "CDC Perú", "licence": "ODC-BY", "raw": {"source": "x"}}),
        ("ingest", (RAW, "delta:staging/cases@0"), (TABLE, "validation:v"),
         {"source_sha256": "a" * 64, "validation": "v", "known_on": "2022-01-02"}),
        ("features", (TABLE,), ("delta:features/w@0",), {"feature_service": "outbreak_v2"}),
        ("split", ("delta:features/w@0", TABLE), ("split:1",), {"feature_service": "outbreak_v2"}),
        ("pool", ("split:1",), ("candidate:1",), {}),
        ("register", ("candidate:1",), ("model:outbreak@1",), {"alias": "champion"}),
        ("train", ("delta:features/w@0", "model:outbreak@1"), ("pipeline:1",), {}),
        ("deploy", ("model:outbreak@1",), ("deployment:outbreak:1",), {}),
        ("predict", ("model:outbreak@1", "deployment:outbreak:1"), ("prediction:p",),
         {"agency": "DIRESA <Loreto>", "request_id": "r1", "entity": "160101"}),
    ]  # fmt: skip
    for step, read, wrote, facts in steps:
        events.append(config, step, "x", status="done", inputs=read, outputs=wrote, facts=facts)
    return config


def _road(settings: Settings) -> dict[str, provenance.Station]:
    index = Index(settings.events)
    road = provenance.road(settings, backward.trace_in(index, "p"), index)
    assert [s.kind for s in road] == sorted(
        (s.kind for s in road), key=list(provenance.KINDS).index
    ), "in the order of the road"
    return {station.kind: station for station in road}


def _fitted(settings: Settings, commit: str) -> None:
    folder = settings.home / "candidates" / "1"
    folder.mkdir(parents=True)
    code = {"commit": commit, "sha256": "c0de"}
    about = {"code": code, "environment": {"lock": "10c4", "python": "3.11.9"}}
    (folder / "run.json").write_text(json.dumps(about))


def test_every_station_is_there(settings: Settings) -> None:
    _fitted(settings, "abc123")
    road = _road(settings)
    assert list(road) == [
        "prediction", "model", "run", "code", "features", "data", "validation", "source"
    ]  # fmt: skip
    assert road["code"].facts["commit"] == "abc123"
    assert road["code"].facts["uv_lock_sha256"] == "10c4"
    assert road["source"].facts["sha256"] == "a" * 64
    assert road["source"].facts["publisher"] == "CDC Perú"
    assert "landed" in road["source"].facts and road["source"].facts["licence"] == "ODC-BY"


def test_without_git_the_hash_of_the_code_stands_for_the_commit(settings: Settings) -> None:
    _fitted(settings, "")
    code = _road(settings)["code"].facts
    assert code["commit"] == "none (no git)" and code["code_sha256"] == "c0de"


def test_a_candidate_that_is_gone_is_told_by_its_event(settings: Settings) -> None:
    code = {"commit": "abc", "sha256": "c0de", "lock": "10c4", "python": "3.11.9"}
    events.append(
        settings, "pool", "x", status="done", inputs=("split:1",), outputs=("candidate:1",),
        facts={"code": code},
    )  # fmt: skip
    assert _road(settings)["code"].facts["uv_lock_sha256"] == "10c4"


def test_the_page_is_in_both_languages_and_names_no_caller(
    settings: Settings, tmp_path: Path
) -> None:
    _fitted(settings, "abc123")
    index = Index(settings.events)
    node = backward.trace_in(index, "p")
    page = tmp_path / "page.html"
    fault = Fault(0, "changed", "delta:features/w@0", "", "is not as ab12 left it")
    trace._page(page, node, provenance.road(settings, node, index), [fault])
    text = page.read_text("utf-8")
    assert "No está como lo dejó su paso" in text and str(fault) in text
    for es, en in provenance.KINDS.values():
        assert es in text and en in text
    assert "publica <small lang=\"en\">publisher</small>" in text
    assert "DIRESA" not in text and "r1" not in re.sub(r"<style>.*</style>", "", text, flags=re.S)
    assert not re.search(r'(src|href)="http|@import|url\(', text), "nothing from outside"


def test_every_fact_of_ours_has_both_names(settings: Settings) -> None:
    _fitted(settings, "abc123")
    pairs = set(provenance_text._NAMES.values())
    for station in _road(settings).values():
        for es, en, _ in page_facts(station):
            assert (es, en) in pairs, f"{es} has no Spanish name"


def test_the_picture_says_every_arrow_in_words_and_is_the_same_again(settings: Settings) -> None:
    node = backward.trace(settings.events, "p")
    picture = graph.svg(node)
    assert f"{TABLE} ← {RAW}" in picture and "inside it" in picture
    assert picture.count("<rect") == len(backward.nodes(node))
    assert picture == graph.svg(backward.trace(settings.events, "p"))


def test_the_newest_success_is_found_whatever_its_texts(settings: Settings) -> None:
    odd = 'a:[1] "x" \\ñ'
    for step, status in (("s", "done"), ("t", "done"), ("s", "failed")):
        events.append(settings, step, 'sub"ject\\', status=status, outputs=(odd, f"{step}:1"))
    events.append(settings, "u", "x", status="failed", inputs=("b:1",), outputs=("c:1",))
    index = Index(settings.events)
    maker = index.made_by(odd)
    assert maker and maker["step"] == "t" and maker["outputs"] == [odd, "t:1"]
    assert index.has(odd) and not index.has("b:1") and not index.made_by("c:1")
    assert [e["step"] for e in index.steps("s", "t")] == ["s", "t"]
    assert index.newest(3) == ["s:1", odd, "t:1"], "each once, by its newest making"
    assert [step for step, _, _ in index.edges()][-2:] == ["s", "t"]


def test_an_answer_is_found_as_the_prediction_log_tells_it(tmp_path: Path) -> None:
    """The look-up without SQLAlchemy; of a home without a database, nothing."""
    url = f"sqlite:///{tmp_path / 'platform.db'}"
    one, other = record(horizon=2), record()
    assert lookup.by_id(url, one.prediction_id, "outbreak") is None
    assert not (tmp_path / "platform.db").exists(), "looking makes no database"
    (tmp_path / "platform.db").touch()
    assert lookup.by_id(url, one.prediction_id, "outbreak") is None
    log_writer.record(url, [one, other])
    entry = prediction_log.by_id(url, one.prediction_id, "outbreak")
    assert entry and lookup.by_id(url, one.prediction_id, "outbreak") == entry
    assert entry.parameters["horizon"] == 2 and lookup.by_id(url, "0" * 32, None) is None


def test_the_page_shows_what_was_forecast_and_its_hash(settings: Settings, tmp_path: Path) -> None:
    one = record(horizon=2)
    log_writer.record(settings.platform_db, [one])
    index = Index(settings.events)
    find = partial(lake_table.by_id, settings, use_case=None)
    node = backward.trace_in(index, one.prediction_id, find)
    road = provenance.road(settings, node, index)
    numbers = "2022-01-01: 1.5; 2022-01-08: 2.5"
    assert road[0].facts["answer"] == numbers, "of the weeks that were asked for"
    page = tmp_path / "page.html"
    trace._page(page, node, road, [])
    text = page.read_text("utf-8")
    assert numbers in text and "lo que se pronosticó" in text
    assert one.prediction.key in text and "hash del contenido" in text


def test_the_numbers_of_a_run_are_told_too() -> None:
    basis = record().prediction.basis
    rows = [{"horizon": h, "origin": date(2022, 1, 1), "q0.5": 3.0, "q0.1": 1.0, "q0.9": 9.5}
            for h in (2, 1)]  # fmt: skip
    entry = LogEntry("p", None, "forecast", basis, "160101", payload={"rows": rows})
    expected = "2022-01-08: 3 (1-9.5); 2022-01-15: 3 (1-9.5)"
    assert kind.answer(entry) == expected
    period = {"week_ending": "2022-01-08", "median": 6.0, "interval_80": [2.0, 19.0]}
    assert kind.answer(replace(entry, payload={"weeks": [period]})) == "2022-01-08: 6 (2-19)"
    assert kind.answer(replace(entry, payload={})) == ""
    assert kind.answer(replace(entry, basis=basis._replace(use_case="gone"))) == ""


def test_a_trace_loads_no_database_library(settings: Settings) -> None:
    code = (
        "import sys; from yupana.cli.main import app; "
        "app(['trace', 'p', '--json'], standalone_mode=False); "
        "assert not {'sqlalchemy', 'polars', 'pyspark', 'jsonschema'} & set(sys.modules)"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], env=settings.environment(), cwd=ROOT, capture_output=True
    )
    assert process.returncode == 0, process.stderr.decode()[-500:]
