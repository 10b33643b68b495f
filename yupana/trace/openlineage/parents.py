"""Who asked for a run: an Airflow task, or a step that started others (a pipeline)."""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from openlineage.client.facet_v2 import RunFacet, parent_run

from yupana.config.settings import Settings

AIRFLOW = "airflow"
"""Namespace of DAGs and their tasks."""


def facet(settings: Settings, parent: dict[str, Any]) -> dict[str, RunFacet]:
    """The parent facet of a run.

    Args:
        parent: as `config.parent_run.parent` tells it; empty: a person asked.
    """
    if "task" in parent:
        return {"parent": _facet(task_run(parent["task"]), AIRFLOW, task_job(parent["task"]))}
    if "run" in parent:
        ours = settings.openlineage_namespace
        return {"parent": _facet(str(UUID(parent["run"])), ours, parent["job"])}
    return {}


def of_dag(task: dict[str, str]) -> dict[str, RunFacet]:
    """The parent facet of a task's run: its DAG's run."""
    run = str(uuid5(NAMESPACE_URL, _name(task, "dag_id", "dag_run_id")))
    return {"parent": _facet(run, AIRFLOW, task["dag_id"])}


def task_run(task: dict[str, str]) -> str:
    """Id of a task's run: each try is a run."""
    return str(uuid5(NAMESPACE_URL, _name(task, "dag_id", "task_id", "dag_run_id", "try_number")))


def task_job(task: dict[str, str]) -> str:
    """Name of a task's job, as OpenLineage names it: `dag.task`."""
    return f"{task['dag_id']}.{task['task_id']}"


def _name(task: dict[str, str], *names: str) -> str:
    return "airflow:" + "/".join(task.get(name, "") for name in names)


def _facet(run: str, namespace: str, job: str) -> RunFacet:
    return parent_run.ParentRunFacet(parent_run.Run(run), parent_run.Job(namespace, job))
