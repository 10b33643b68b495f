"""The one module that imports Airflow: what DAG files need of it, in one shape.

A task runs a `yupana` command and passes references on; it never sees a row.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Asset, task
from airflow.sdk.exceptions import AirflowFailException

from yupana.core.errors import TerminalError
from yupana.orchestration.command import run_command

START = datetime(2026, 1, 1)
DEFAULTS = {"owner": "yupana", "retries": 2, "retry_delay": timedelta(minutes=2)}

__all__ = ["Asset", "command", "dag"]


def dag(name: str, doc: str, **given: Any) -> DAG:
    """A DAG with the project's defaults: no catch-up, retries, documentation."""
    return DAG(
        name,
        doc_md=doc,
        start_date=START,
        catchup=False,
        default_args=DEFAULTS,
        max_active_runs=1,
        **given,
    )


def command(task_id: str, args: list[str], outlets: list[Asset] | None = None) -> Any:
    """A task that runs `yupana <args>` and returns the references it made.

    An error in the data fails the task at once; outside trouble is retried.
    """

    @task(task_id=task_id, outlets=outlets or [], doc_md=f"`yupana {' '.join(args)}`")  # type: ignore[untyped-decorator]
    def run(*, outlet_events: Any = None) -> list[str]:
        try:
            result = run_command(args)
        except TerminalError as error:
            raise AirflowFailException(str(error)) from error
        for asset in outlets or []:
            outlet_events[asset].extra = {"ref": result["outputs"][0], **result["metrics"]}
        return list(result["outputs"])

    return run()
