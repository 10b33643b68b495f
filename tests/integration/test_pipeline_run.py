"""The compiled pipeline by `kfp.local`, and the DAGs around it, after the thread has run once."""

from __future__ import annotations

import json
import sqlite3

import pytest
from conftest import Thread

from yupana.core.errors import TerminalError
from yupana.data.lake import delta
from yupana.lineage import events
from yupana.orchestration import airflow_home
from yupana.tracking import registry
from yupana.training.local import run_local

pytestmark = pytest.mark.thread
NAME = "outbreak"


def states(thread: Thread, dag: str) -> dict[str, str]:
    """How the newest run of each task ended."""
    with sqlite3.connect(thread.settings.home / "airflow" / "airflow.db") as database:
        rows = database.execute(
            "SELECT task_id, state FROM task_instance WHERE dag_id = ? ORDER BY start_date", (dag,)
        )
        return dict(rows.fetchall())


def test_every_step_ran_once_and_told_its_seconds(thread: Thread) -> None:
    assert set(states(thread, NAME).values()) == {"success"}
    entries = [e for e in events.read(thread.settings.events) if e["status"] == "done"]
    for step, times in (("fit", 2), ("pool", 1), ("backtest", 1), ("evaluate", 1)):
        runs = [e for e in entries if e["step"] == step]
        assert len(runs) == times and all(e["seconds"] > 0 for e in runs), step
    decided = next(e for e in entries if e["step"] == "due")
    assert decided["facts"] == {"due": True, "reason": "there is no champion"}


def test_a_failed_member_registers_nothing_and_the_champion_stays(thread: Thread) -> None:
    before = registry.champion(thread.settings, NAME)
    with pytest.raises(TerminalError, match="fit-network"):
        run_local(NAME, thread.settings, {"tuning": "tuning:none"})
    last = list(events.read(thread.settings.events))[-1]
    assert (last["step"], last["status"]) == ("fit", "failed") and "tuning:none" in str(last)
    assert registry.champion(thread.settings, NAME) == before


def test_a_past_week_is_forecast_by_the_model_that_knew_no_more(thread: Thread) -> None:
    """No training where there is such a model; the DAG goes on to the forecast."""
    day, newest = "2022-01-05", "2022-01-01"
    conf = ["--conf", json.dumps({"as_of": day})]
    airflow_home.run(thread.settings, ["dags", "test", *conf, "outbreak_backfill"])
    tasks = states(thread, "outbreak_backfill")
    assert tasks == {"due": "success", "train": "skipped", "predict": "success"}
    event = events.last_done(thread.settings.events, "forecast", NAME)
    assert event and event["facts"]["data_as_of"] <= day
    rows = delta.read(thread.settings.table("forecasts", NAME))
    assert newest in {str(d)[:10] for d in rows["origin"].unique()}
