"""The whole road once, by real Airflow, Kubeflow (local), MLflow, BentoML and Evidently."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
from command import interpreter
from command import yupana as command
from conftest import SAMPLE, Thread

from yupana.config.settings import ROOT, Settings
from yupana.core.hashing import file_sha256
from yupana.core.progress import Silent
from yupana.data.lake import delta, maintenance
from yupana.ledger import signing
from yupana.lineage import contents, events
from yupana.orchestration import quickstart, service
from yupana.predictions import lake_table
from yupana.trace import backward
from yupana.tracking import slots

pytestmark = pytest.mark.thread


def asked(url: str, key: str) -> list[dict[str, Any]]:
    """Predictions for Iquitos, some days after the shipped sample ends."""
    answer = service.ask(
        url, "outbreak", "forecast", {"ubigeo": ["160101"], "as_of": "2022-01-05"}, key=key
    )
    return list(answer["predictions"])


def test_all_that_the_run_left_is_vouched_for(thread: Thread) -> None:
    tables = {(zone, name) for zone, name in maintenance.tables(thread.settings)}
    assert {zone for zone, _ in tables} >= {"published", "quarantine", "features"}
    assert [str(fault) for fault in contents.faults(thread.settings)] == []


def test_an_answer_leads_back_to_the_file(thread: Thread) -> None:
    answer = asked(thread.url, thread.key)[0]
    find = partial(lake_table.by_id, thread.settings, use_case=None)
    node = backward.trace(thread.settings.events, answer["prediction_id"], find)
    assert backward.sources(node) == [f"raw:{file_sha256(SAMPLE)}"]
    steps = {e["step"] for e in walk(node) if e}
    assert {
        "answer",
        "deploy",
        "register",
        "evaluate",
        "fit",
        "split",
        "features",
        "ingest",
        "land",
    } <= steps


def walk(node: backward.Node):
    yield node.event
    for child in node.children:
        yield from walk(child)


def test_the_pool_beats_every_baseline(thread: Thread) -> None:
    event = events.last_done(thread.settings.events, "evaluate", "outbreak")
    assert event
    scores = event["facts"]["scores"]
    best = min(scores[name]["wis"] for name in ("last_value", "seasonal", "ar"))
    assert scores["pool"]["wis"] < best


def test_the_drift_report_is_for_people_and_machines(thread: Thread) -> None:
    facts = thread.run.report["metrics"]
    assert "<html" in Path(facts["html"]).read_text()[:2000].lower()
    assert json.loads(Path(facts["json"]).read_text())
    assert facts["rows_current"] == 51


def test_the_auditors_pages_are_whole(thread: Thread) -> None:
    pages = thread.run.pages
    assert pages["missing"] == [], "each part was run"
    assert thread.run.answer["prediction_id"] in (
        Path(pages["index"]).with_name("traza.html").read_text("utf-8")
    )


@pytest.fixture(scope="module")
def copies(thread: Thread, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What another installation fetches by DVC: a table, and a model with what goes with it."""
    folder = tmp_path_factory.mktemp("copies")
    exchange = str(thread.settings.home / "exchange")
    for path in ("datasets/dengue_linelist/dengue_linelist.parquet",
                 "models/outbreak/metadata.json", "models/outbreak/model"):  # fmt: skip
        words = [sys.executable, "-m", "dvc", "get", exchange, path]
        subprocess.run(words, cwd=folder, check=True, env=thread.settings.environment())
    return folder


def test_table_and_model_can_be_got_from_elsewhere(copies: Path, thread: Thread) -> None:
    assert (copies / "model" / "weights.safetensors").stat().st_size > 1000
    assert (copies / "dengue_linelist.parquet").stat().st_size > 10_000


def test_a_shared_model_is_adopted_elsewhere(
    copies: Path, thread: Thread, tmp_path: Path
) -> None:
    (tmp_path / "theirs.pub").write_text(signing.public_key(thread.settings))
    elsewhere = Settings(home=tmp_path / "elsewhere")
    words = ("adopt", "outbreak", str(copies / "model"))
    trusted = (*words, "--publisher", str(tmp_path / "theirs.pub"), "--version", "7")
    with interpreter(ROOT, elsewhere.environment()) as python:
        alone = python.yupana(*words)
        assert alone.code == 2 and "Nothing says that this model is its" in alone.stderr
        adopted = python.yupana(*trusted)
        assert adopted.code == 0, adopted.stderr
        placed = slots.current(elsewhere.platform_db, "outbreak")
        assert placed == {slots.CHAMPION: slots.Placed("outbreak:7")}
        weights = copies / "model" / "weights.safetensors"
        content = weights.read_bytes()
        weights.write_bytes(b"another")
        changed = python.yupana(*trusted)
        weights.write_bytes(content)
        assert changed.code == 1 and "'weights.safetensors' was changed" in changed.stderr


def test_a_second_run_does_nothing_twice(thread: Thread) -> None:
    before = {s: delta.version_of(thread.settings.table(z, s)) for z, s in TABLES}
    entries = [e for e in events.read(thread.settings.events) if e["step"] in ONCE]
    [*quickstart.run(thread.settings, ["outbreak"], Silent())]
    assert before == {s: delta.version_of(thread.settings.table(z, s)) for z, s in TABLES}
    assert entries == [e for e in events.read(thread.settings.events) if e["step"] in ONCE]


TABLES = [("published", "dengue_linelist"), ("features", "outbreak_weekly")]
ONCE = ("land", "ingest", "features", "split", "fit", "evaluate", "register", "train", "deploy")


def test_nothing_it_started_is_left(thread: Thread) -> None:
    with service.running(thread.settings, "outbreak") as url:
        assert asked(url, thread.key)
    ours = [p.info for p in psutil.process_iter(["cmdline", "environ"])]
    home = str(thread.settings.home)
    rest = [
        " ".join(p["cmdline"] or ())
        for p in ours
        if (p["environ"] or {}).get("YUPANA_HOME") == home
    ]
    port = url.rsplit(":", 1)[1]
    assert not [line for line in rest if "bentoml" in line and port in line]
    assert not [line for line in rest if "airflow" in line]


def test_a_broken_sample_stops_airflow_and_the_endpoint_stays(thread: Thread, tmp_path) -> None:
    """The DAG fails with the reason, at once and not after retries; answers go on."""
    bad = tmp_path / "cut.csv.gz"
    bad.write_bytes(SAMPLE.read_bytes()[:40_000])
    refusal = command(thread.settings, "ingest", "dengue_linelist", "--source", str(bad))
    assert refusal.code == 1
    assert "cut short" in refusal.stderr and "Traceback" not in refusal.stderr
    assert asked(thread.url, thread.key)
