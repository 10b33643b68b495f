"""The road of an answer: every station, its names in both languages, and the picture."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from answers import given

from yupana.cli import trace as command
from yupana.config.settings import ROOT, Settings
from yupana.core.errors import TerminalError
from yupana.data import provenance, provenance_words
from yupana.data.provenance_words import named
from yupana.governance import (
    events,
    prediction_found,
    prediction_rows,
    predictions,
    trace,
    trace_graph,
)
from yupana.governance.trace_index import Index

RAW, TABLE = "raw:" + "a" * 64, "delta:published/cases@0"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A log of the whole road, and what the fit wrote down of its code."""
    made = Settings(home=tmp_path / "home")
    made.home.mkdir()
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
         {"agency": "DIRESA <Loreto>", "request_id": "r1", "ubigeo": "160101"}),
    ]  # fmt: skip
    for step, read, wrote, facts in steps:
        events.append(made, step, "x", status="done", inputs=read, outputs=wrote, facts=facts)
    return made


def _road(settings: Settings) -> dict[str, provenance.Station]:
    index = Index(settings.events)
    road = provenance.road(settings, trace.walked(index, "p"), index)
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
    node = trace.walked(index, "p")
    page = tmp_path / "page.html"
    command._page(page, node, provenance.road(settings, node, index))
    text = page.read_text("utf-8")
    for es, en in provenance.KINDS.values():
        assert es in text and en in text
    assert "publica <small lang=\"en\">publisher</small>" in text
    assert "DIRESA" not in text and "r1" not in re.sub(r"<style>.*</style>", "", text, flags=re.S)
    assert not re.search(r'(src|href)="http|@import|url\(', text), "nothing from outside"


def test_every_fact_of_ours_has_both_names(settings: Settings) -> None:
    _fitted(settings, "abc123")
    known = set(provenance_words._NAMES.values())
    for station in _road(settings).values():
        for es, en, _ in named(station):
            assert (es, en) in known, f"{es} has no Spanish name"


def test_the_picture_says_every_arrow_in_words_and_is_the_same_again(settings: Settings) -> None:
    node = trace.trace(settings.events, "p")
    picture = trace_graph.svg(node)
    assert f"{TABLE} ← {RAW}" in picture and "inside it" in picture
    assert picture.count("<rect") == len(trace.nodes(node))
    assert picture == trace_graph.svg(trace.trace(settings.events, "p"))


def test_lines_written_otherwise_are_parsed_and_a_torn_one_is_named(settings: Settings) -> None:
    odd = {"step": "s", "outputs": ['a:[1] "x"'], "status": "done", "inputs": [], "facts": {}}
    with settings.events.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(odd) + "\n")
        stream.write(json.dumps({**odd, "status": "failed", "outputs": ["b:1"]}) + "\n")
    events.append(settings, "t", 'sub"ject\\', status="done", outputs=("c:1",))
    index = Index(settings.events)
    assert index.made_by("c:1") and not index.made_by("b:1")
    assert [e["step"] for e in index.steps("s", "t")] == ["s", "t"]
    with settings.events.open("a", encoding="utf-8") as stream:
        stream.write('{"id": "torn')
    with pytest.raises(TerminalError, match="not JSON") as caught:
        Index(settings.events)
    assert "line 13" in str(caught.value.where)


def test_an_answer_is_found_as_the_prediction_log_tells_it(tmp_path: Path) -> None:
    """The look-up without SQLAlchemy; of a home without a database, nothing."""
    url = f"sqlite:///{tmp_path / 'platform.db'}"
    one, other = given(horizon=2), given()
    assert prediction_found.found(url, one.prediction_id) is None
    assert not (tmp_path / "platform.db").exists(), "looking makes no database"
    (tmp_path / "platform.db").touch()
    assert prediction_found.found(url, one.prediction_id) is None
    prediction_rows.record(url, [one, other])
    wanted = predictions.found(url, one.prediction_id)
    assert wanted and prediction_found.found(url, one.prediction_id) == wanted
    assert len(wanted["answer"]) == 2 and prediction_found.found(url, "0" * 32) is None


def test_a_trace_loads_no_database_library(settings: Settings) -> None:
    said = (
        "import sys; from yupana.cli.main import app; "
        "app(['trace', 'p', '--json'], standalone_mode=False); "
        "assert not {'sqlalchemy', 'polars', 'pyspark', 'jsonschema'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", said], env=settings.environment(), cwd=ROOT, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()[-500:]
