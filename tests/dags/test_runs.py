"""What real runs of DAGs leave in Airflow and in the event log."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from typing import Any

import pytest
from conftest import Thread

from yupana.config.settings import Settings, settings
from yupana.lineage import events
from yupana.orchestration import airflow_home
from yupana.orchestration.airflow import deadline_missed

XCOM_BYTES = 1000


def query(of: Settings, question: str) -> list[tuple[Any, ...]]:
    """Rows of Airflow's own database."""
    with sqlite3.connect(of.home / "airflow" / "airflow.db") as database:
        return database.execute(question).fetchall()


@pytest.mark.thread
def test_the_event_of_a_data_set_tells_version_and_validation(thread: Thread) -> None:
    rows = query(
        thread.settings,
        "SELECT e.extra FROM asset_event e JOIN asset a ON a.id = e.asset_id"
        " WHERE a.name = 'dengue_linelist' ORDER BY e.id",
    )
    extra = json.loads(rows[-1][0])
    ingest = events.last_done(thread.settings.events, "ingest", "dengue_linelist")
    assert ingest and extra["ref"] == ingest["outputs"][0]
    assert extra["ref"].endswith(f"@{extra['version']}")
    assert extra["validation"] in ingest["outputs"]
    assert extra["rows"]["published"] == ingest["facts"]["rows"]["published"] > 0


@pytest.mark.thread
def test_tasks_pass_references_alone(thread: Thread) -> None:
    passed = query(thread.settings, "SELECT dag_id, task_id, value FROM xcom")
    assert len(passed) >= 5
    for dag, task, value in passed:
        assert len(value) < XCOM_BYTES, f"{dag}.{task} passes {len(value)} bytes: return references"


@pytest.mark.thread
def test_maintenance_runs_and_finds_nothing_to_do(thread: Thread) -> None:
    airflow_home.run(thread.settings, ["dags", "test", "maintenance"])
    states = query(
        thread.settings, "SELECT task_id, state FROM task_instance WHERE dag_id = 'maintenance'"
    )
    assert dict(states) == {"compact": "success", "vacuum": "success", "forget": "success"}


def test_a_missed_deadline_is_in_the_log() -> None:
    late = {
        "dag_run": {"dag_id": "ingest_x", "dag_run_id": "manual__1", "state": "running"},
        "deadline": {"id": "1", "deadline_time": "2026-01-04 05:00:00+00:00"},
    }
    asyncio.run(deadline_missed(late))
    event = [e for e in events.read(settings().events) if e["step"] == "deadline"][-1]
    assert (event["subject"], event["status"]) == ("ingest_x", "failed")
    assert event["facts"]["run"] == "manual__1" and "2026-01-04" in event["facts"]["error"]
