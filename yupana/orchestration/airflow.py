"""The one module that imports Airflow: what DAG files need of it, in one shape.

A task runs a `yupana` command and passes references on; it never sees a row.

Dates. A run by hand or by the clock publishes what the source holds now, and the ingest itself
knows when it first saw those bytes. Only a backfill tells of the past: it must name the file of
each date (`source` with `{date}`), because a live address would pass today's bytes off as old
knowledge. A DAG of forecasts (`AS_OF`) needs no file: it goes by the versions that were published
by its date. Asset events of a backfill bear the date as partition key, and Airflow starts no DAG
on them that does not ask for partitions: nothing retrains for each week of a backfill.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk import DAG, Asset, CronTriggerTimetable, Param, task

from airflow.sdk import AsyncCallback, DeadlineAlert, DeadlineReference  # type: ignore[attr-defined]  # isort: skip
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from yupana.config.settings import settings
from yupana.core.errors import TerminalError, UsageError
from yupana.lineage import events
from yupana.orchestration.command import run_command

ZONE = "America/Lima"
TEAM = "yupana"
XCOM_BYTES = 4096
RETRIES = {
    "retries": 3,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=30),
}
# `airflow dags test` ends with an error after a good run of a DAG that has a deadline: in 3.3.2,
# https://github.com/apache/airflow/issues/73428; delete this when that is closed.
_TRYING_OUT = sys.argv[1:3] == ["dags", "test"]
DATED = {
    "source": Param(
        None,
        type=["null", "string"],
        description="A file or URL; {date} stands for the date. Default: the contract's.",
    ),
    "as_of": Param(
        None,
        type=["null", "string"],
        format="date",
        description="The date on which that file was what was known. Default: when first seen.",
    ),
}
AS_OF = {"as_of": DATED["as_of"]}

__all__ = ["AS_OF", "DATED", "TEAM", "Asset", "command", "dag", "when"]


def dag(
    name: str,
    doc: str,
    *,
    tags: list[str],
    schedule: str | list[Asset] | None,
    owner: str = TEAM,
    within: timedelta = timedelta(hours=2),
    params: dict[str, Param] | None = None,
) -> DAG:
    """A DAG with the project's defaults: retries, one run at a time, an alert when it is late.

    Args:
        schedule: a cron expression or preset in Peruvian time, assets to wait for, or None for
            runs by hand. What runs by the clock starts switched off: turning it on is a decision.
        within: how long a run may take from when it was queued.
    """
    by_clock = isinstance(schedule, str)
    alert = DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=within,
        callback=AsyncCallback(deadline_missed),
    )
    return DAG(
        name,
        doc_md=doc,
        schedule=CronTriggerTimetable(schedule, timezone=ZONE) if by_clock else schedule,
        # No start date: switching a DAG on does not run the last date it missed at once.
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=by_clock,
        tags=tags,
        params=params,
        deadline=None if _TRYING_OUT else alert,
        default_args={"owner": owner, **RETRIES},
    )


def command(
    task_id: str,
    args: list[str],
    outlets: list[Asset] | None = None,
    *,
    after_skipped: bool = False,
) -> Any:
    """A task that runs `yupana <args>` and returns the references it made.

    An error in the data, or a wrong command, fails the task at once; outside trouble is retried.
    Where the DAG has the parameters `DATED` or `AS_OF`, they are added to the command.

    Args:
        after_skipped: run also when the task before was skipped, though not when it failed.
    """

    @task(  # type: ignore[untyped-decorator]
        task_id=task_id,
        outlets=outlets or [],
        doc_md=f"`yupana {' '.join(args)}`",
        # Also a backfill beside a scheduled run: `max_active_runs` counts those apart.
        max_active_tis_per_dag=1,
        trigger_rule="none_failed" if after_skipped else "all_success",
    )
    def run(
        args: list[str], *, params: Any = None, dag_run: Any = None, outlet_events: Any = None
    ) -> list[str]:
        try:
            date = _date(dag_run, params)
            result = run_command([*args, *date_options(params, date)])
            if outlets and not result["outputs"]:
                raise AirflowSkipException("Nothing has come yet.")
            for asset in outlets or []:
                outlet_events[asset].extra = event_extra(result)
                if date:
                    outlet_events[asset].add_partitions(date)
            return references(result)
        except TerminalError as error:
            raise AirflowFailException(str(error)) from error

    return run(args)


def when(task_id: str, args: list[str]) -> Any:
    """A task that runs `yupana <args>` and skips the task after it unless the answer is `due`."""

    @task.short_circuit(  # type: ignore[untyped-decorator]
        task_id=task_id,
        doc_md=f"`yupana {' '.join(args)}`",
        max_active_tis_per_dag=1,
        # The next task alone: those after it say themselves what a skipped one means to them.
        ignore_downstream_trigger_rules=False,
    )
    def ask(args: list[str], *, params: Any = None, dag_run: Any = None) -> bool:
        try:
            result = run_command([*args, *date_options(params, _date(dag_run, params))])
        except TerminalError as error:
            raise AirflowFailException(str(error)) from error
        print(f"{'due' if result['due'] else 'not due'}: {result['reason']}")
        return bool(result["due"])

    return ask(args)


def date_options(params: Any, date: str | None) -> list[str]:
    """Options of the command for the run's parameters `source` and `as_of`, where it has them.

    Args:
        date: the date (ISO) that the run is of, None when it is of now.

    Raises:
        UsageError: a backfill that does not say where each date's file is, or a run of a DAG
            that tells of the past without a date.
    """
    source, as_of = params.get("source"), params.get("as_of") or date
    if _of_the_past(params):
        if not as_of:
            raise UsageError(
                "This DAG tells of a past day, and the run has none.",
                where="parameter as_of",
                fix="""Trigger it with --conf '{"as_of": "2020-06-06"}', or by a backfill.""",
            )
    elif date and "{date}" not in (source or ""):
        raise UsageError(
            "A backfill must say where the file of each date is.",
            where=f"the run for {date}",
            fix="""Add --dag-run-conf '{"source": "/archive/{date}.csv"}' to `airflow backfill"""
            " create`: what the source holds today was not known then.",
        )
    options = [f"--source={source.replace('{date}', as_of or '')}"] if source else []
    return options + ([f"--as-of={as_of}"] if as_of else [])


def _of_the_past(params: Any) -> bool:
    """Whether the DAG has the parameters `AS_OF`."""
    return "as_of" in params and "source" not in params


def _date(dag_run: Any, params: Any) -> str | None:
    """The date that a run is of: a backfill's, and in a DAG of the past also the clock's."""
    dates = ("backfill", "scheduled") if _of_the_past(params) else ("backfill",)
    if dag_run.run_type not in dates:
        return None
    return str(dag_run.logical_date.astimezone(ZoneInfo(ZONE)).date())


def event_extra(result: dict[str, Any]) -> dict[str, Any]:
    """What an asset's event tells those who wait for it: version, validation, rows, date."""
    ref, facts = str(result["outputs"][0]), result["metrics"]
    version = ref.rpartition("@")[2]
    return {
        "ref": ref,
        "version": int(version) if version.isdigit() else version,
        "validation": next((r for r in result["outputs"] if r.startswith("validation:")), None),
        "rows": facts.get("rows"),
        "known_on": facts.get("known_on"),
    }


def references(result: dict[str, Any]) -> list[str]:
    """The references that a command made: all that passes between tasks.

    Raises:
        TerminalError: they are so long that rows must be among them.
    """
    outputs = [str(o) for o in result["outputs"]]
    if len(json.dumps(outputs)) > XCOM_BYTES:
        raise TerminalError(
            f"The command's outputs are longer than {XCOM_BYTES} bytes.",
            where=f"{result['step']} {result['subject']}",
            fix="Return references (delta:…@version, report:…), never what they refer to.",
        )
    return outputs


async def deadline_missed(context: dict[str, Any]) -> None:
    """Log that a DAG run was not through in time: Airflow's triggerer imports this by name.

    Args:
        context: Airflow's `dag_run` and `deadline`, as JSON.
    """
    run, deadline = context["dag_run"], context["deadline"]
    events.append(
        settings(),
        "deadline",
        run["dag_id"],
        status="failed",
        facts={
            "error": f"not through by {deadline['deadline_time']}",
            "run": run["dag_run_id"],
            "state": run["state"],
        },
    )
