"""The whole road once, by real Airflow, Kubeflow (local), MLflow, BentoML and Evidently."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
from conftest import SAMPLE, Thread

from yupana.config.settings import ROOT, Settings
from yupana.core.hashing import file_sha256
from yupana.core.progress import Silent
from yupana.data import delta, prediction_table
from yupana.governance import deployments, events
from yupana.governance import trace as tracing
from yupana.orchestration import service
from yupana.orchestration import thread as the_thread

pytestmark = pytest.mark.thread


def asked(url: str, key: str) -> list[dict[str, Any]]:
    """Predictions for Iquitos, some days after the shipped sample ends."""
    answer = service.ask(url, ["160101"], key=key, as_of=date(2022, 1, 5))
    return list(answer["predictions"])


def test_an_answer_leads_back_to_the_file(thread: Thread) -> None:
    answer = asked(thread.url, thread.key)[0]
    find = partial(prediction_table.found, thread.settings)
    node = tracing.trace(thread.settings.events, answer["prediction_id"], find)
    assert tracing.sources(node) == [f"raw:{file_sha256(SAMPLE)}"]
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


def walk(node: tracing.Node):
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


def test_table_and_model_can_be_got_from_elsewhere(thread: Thread, tmp_path) -> None:
    exchange = thread.settings.home / "exchange"
    for path in ("datasets/dengue_linelist/dengue_linelist.parquet", "models/outbreak/model"):
        command = [sys.executable, "-m", "dvc", "get", str(exchange), path]
        subprocess.run(command, cwd=tmp_path, check=True, env=thread.settings.environment())
    assert (tmp_path / "model" / "weights.safetensors").stat().st_size > 1000
    assert (tmp_path / "dengue_linelist.parquet").stat().st_size > 10_000


def test_a_shared_model_is_adopted_elsewhere(thread: Thread, tmp_path: Path) -> None:
    exchange = str(thread.settings.home / "exchange")
    got = [sys.executable, "-m", "dvc", "get", exchange, "models/outbreak/model"]
    subprocess.run(got, cwd=tmp_path, check=True, env=thread.settings.environment())
    elsewhere = Settings(home=tmp_path / "elsewhere")
    adopt = ["adopt", "outbreak", str(tmp_path / "model"), "--version", "7"]
    command = [sys.executable, "-m", "yupana.cli.main", *adopt]
    subprocess.run(command, cwd=ROOT, check=True, env=elsewhere.environment())
    placed = deployments.current(elsewhere.platform_db, "outbreak")
    assert placed == {deployments.CHAMPION: deployments.Placed("outbreak:7")}
    (tmp_path / "model" / "weights.safetensors").write_bytes(b"another")
    done = subprocess.run(
        command, cwd=ROOT, env=elsewhere.environment(), capture_output=True, text=True
    )
    assert done.returncode == 1 and "Another model is outbreak@7 here" in done.stderr


def test_a_second_run_does_nothing_twice(thread: Thread) -> None:
    before = {s: delta.version_of(thread.settings.table(z, s)) for z, s in TABLES}
    done = [e for e in events.read(thread.settings.events) if e["step"] in ONCE]
    the_thread.run(thread.settings, Silent())
    assert before == {s: delta.version_of(thread.settings.table(z, s)) for z, s in TABLES}
    assert done == [e for e in events.read(thread.settings.events) if e["step"] in ONCE]


TABLES = [("published", "dengue_linelist"), ("features", "outbreak_weekly")]
ONCE = ("land", "ingest", "features", "split", "fit", "evaluate", "register", "train", "deploy")


def test_nothing_it_started_is_left(thread: Thread) -> None:
    with service.running(thread.settings, "outbreak") as url:
        assert asked(url, thread.key)
    ours = [p.info for p in psutil.process_iter(["cmdline", "environ"])]
    home = str(thread.settings.home)
    left = [
        " ".join(p["cmdline"] or ())
        for p in ours
        if (p["environ"] or {}).get("YUPANA_HOME") == home
    ]
    port = url.rsplit(":", 1)[1]
    assert not [line for line in left if "bentoml" in line and port in line]
    assert not [line for line in left if "airflow" in line]


def test_a_broken_sample_stops_airflow_and_the_endpoint_stays(thread: Thread, tmp_path) -> None:
    """The DAG fails with the reason, at once and not after retries; answers go on."""
    bad = tmp_path / "cut.csv.gz"
    bad.write_bytes(SAMPLE.read_bytes()[:40_000])
    command = [
        sys.executable,
        "-m",
        "yupana.cli.main",
        "ingest",
        "dengue_linelist",
        "--source",
        str(bad),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, env=thread.settings.environment()
    )
    assert done.returncode == 1
    assert "cut short" in done.stderr and "Traceback" not in done.stderr
    assert asked(thread.url, thread.key)
