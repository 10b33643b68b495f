"""What a task does: dates for its command, references between tasks, trouble and retries."""

from __future__ import annotations

import pytest
from dag_bag import dags

from yupana.config.settings import settings
from yupana.core.errors import TerminalError, TransientError, UsageError

__all__ = ["dags"]


class Run:
    """The little of Airflow's `dag_run` that a task looks at."""

    run_type = "manual"


@pytest.mark.parametrize(
    ("params", "date", "options"),
    [
        ({}, None, []),
        ({"source": None, "as_of": None}, None, []),
        ({"as_of": "2026-01-04", "source": None}, None, ["--as-of=2026-01-04"]),
        ({"as_of": "2026-01-04"}, None, ["--as-of=2026-01-04"]),
        ({"as_of": None}, "2026-01-11", ["--as-of=2026-01-11"]),
        ({"source": "/a.csv"}, None, ["--source=/a.csv"]),
        (
            {"source": "/a-{date}.csv"},
            "2026-01-04",
            ["--source=/a-2026-01-04.csv", "--as-of=2026-01-04"],
        ),
    ],
)
def test_dates_reach_the_command(params, date, options) -> None:
    from yupana.orchestration.airflow import date_options

    assert date_options(params, date) == options


@pytest.mark.parametrize("source", [None, "https://example.org/live.csv"])
def test_a_backfill_from_a_live_source_is_refused(source) -> None:
    """It would pass off today's bytes as what was known then."""
    from yupana.orchestration.airflow import date_options

    with pytest.raises(UsageError, match="where the file of each date is") as refused:
        date_options({"source": source}, "2026-01-04")
    assert "{date}" in str(refused.value)


def test_a_run_of_the_past_needs_a_date() -> None:
    """Without one it would tell of today under the name of the past."""
    from yupana.orchestration.airflow import AS_OF, date_options

    with pytest.raises(UsageError, match="the run has none"):
        date_options(dict.fromkeys(AS_OF), None)


@pytest.mark.parametrize(("run_type", "date"), [("scheduled", "2026-01-04"), ("manual", None)])
def test_the_clock_dates_a_run_of_the_past_alone(run_type, date) -> None:
    from datetime import UTC, datetime
    from types import SimpleNamespace

    from yupana.orchestration.airflow import _date

    run = SimpleNamespace(run_type=run_type, logical_date=datetime(2026, 1, 4, 11, tzinfo=UTC))
    assert _date(run, {"as_of": None}) == date
    assert _date(run, {"as_of": None, "source": None}) is None


def test_rows_do_not_pass_between_tasks() -> None:
    from yupana.orchestration.airflow import XCOM_BYTES, references

    result = {"step": "x", "subject": "y", "outputs": ["row"] * XCOM_BYTES}
    with pytest.raises(TerminalError, match="longer than") as refused:
        references(result)
    assert "references" in refused.value.fix


def test_a_stream_to_which_nothing_came_is_skipped(dags, monkeypatch) -> None:
    from airflow.sdk.exceptions import AirflowSkipException

    from yupana.orchestration import airflow

    task = dags["ingest_iquitos_weekly"].tasks[0]
    monkeypatch.setattr(airflow, "run_command", lambda args: {"outputs": [], "metrics": {}})
    with pytest.raises(AirflowSkipException):
        task.python_callable(["stream", "river_levels"], params={}, dag_run=Run())


def test_an_error_in_the_command_fails_the_task_at_once(dags) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    task = dags["ingest_iquitos_weekly"].tasks[0]
    with pytest.raises(AirflowFailException, match="no_such_data"):
        task.python_callable(["ingest", "no_such_data"], params={}, dag_run=Run())


def test_outside_trouble_is_left_to_the_retries(dags, monkeypatch) -> None:
    monkeypatch.setenv("YUPANA_ENGINE", "sc://127.0.0.1:9")
    settings.cache_clear()
    try:
        task = dags["ingest_iquitos_weekly"].tasks[0]
        with pytest.raises(TransientError):
            task.python_callable(["ingest", "iquitos_weekly"], params={}, dag_run=Run())
    finally:
        monkeypatch.undo()
        settings.cache_clear()
