"""Which run this process is a part of: an Airflow task, or a step that started it."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_VARIABLE = "YUPANA_ASKED_BY"
_TASK = ("DAG_ID", "TASK_ID", "DAG_RUN_ID", "TRY_NUMBER")


def parent() -> dict[str, Any]:
    """Who asked this process to run, the nearest; empty: a person.

    Returns:
        `task` (Airflow's dag_id, task_id, dag_run_id, try_number), or `run` (an event's id) and
        `job` of the step that is doing it.
    """
    task = _task()
    names = json.loads(os.environ.get(_VARIABLE, "{}"))
    # A task that a step started names another task than the step was in, or one where none was.
    if task and task != names.get("within"):
        return {"task": task}
    return {k: v for k, v in names.items() if k != "within"}


def environment() -> dict[str, str]:
    """What a process elsewhere, such as a pod, needs in its environment to know who asked it."""
    return {_VARIABLE: os.environ[_VARIABLE]} if _VARIABLE in os.environ else {}


@contextmanager
def as_parent(run: str, job: str) -> Iterator[None]:
    """What is started meanwhile, here or in a child process, is told that this step asked."""
    if threading.current_thread() is not threading.main_thread():
        # The environment is the whole process's: steps side by side would name each other.
        yield
        return
    before = os.environ.get(_VARIABLE)
    os.environ[_VARIABLE] = json.dumps({"run": run, "job": job, "within": _task()})
    try:
        yield
    finally:
        os.environ.pop(_VARIABLE)
        if before is not None:
            os.environ[_VARIABLE] = before


def _task() -> dict[str, str]:
    """The Airflow task that this process, or one above it, runs in."""
    context = {name.lower(): os.environ.get(f"AIRFLOW_CTX_{name}", "") for name in _TASK}
    return context if context["dag_id"] else {}
