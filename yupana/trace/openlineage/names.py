"""How OpenLineage names what the log refers to: data sets, jobs, and who asked for a run.

A table is named by its folder (namespace `file`), as Spark and others name it. All that lies in
no place of its own is named in the platform's namespace: `raw/<sha256>`, `model/river_level`.
https://openlineage.io/docs/spec/naming
"""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from openlineage.client.facet_v2 import RunFacet, parent_run

from yupana.config.settings import Settings
from yupana.data.lake import delta

# What the log refers to and is no data: runs, an audit (a facet of what was audited), and single
# answers, which are told by the batch.
_NO_DATA = ("validation", "dag", "pipeline", "kfp", "prediction")


class DatasetName(NamedTuple):
    """A data set; `version` is empty where it has none."""

    namespace: str
    name: str
    version: str


def dataset(settings: Settings, ref: str, subject: str) -> DatasetName | None:
    """The data set of a reference; None where it names none.

    Args:
        subject: of the event that names it: a split, a member or a candidate is told apart by its
            hash alone, which is its version here.
    """
    kind, _, rest = ref.partition(":")
    if kind in _NO_DATA:
        return None
    if kind == "delta":
        zone, table, number = delta.parts(ref)
        return DatasetName("file", str(settings.table(zone, table).absolute()), str(number))
    ours = settings.openlineage_namespace
    if kind == "raw":
        return DatasetName(ours, f"raw/{rest}", rest)
    for mark in ("@", "/", ":"):
        name, separator, version = rest.rpartition(mark)
        if separator:
            return DatasetName(ours, f"{kind}/{name}", version)
    return DatasetName(ours, f"{kind}/{subject}", rest)


def job(step: str, subject: str) -> str:
    """Name of the job of a step: `ingest.river_levels`."""
    return f"{step}.{subject}" if subject else step


AIRFLOW = "airflow"
"""Namespace of DAGs and their tasks."""


def parent_facet(settings: Settings, parent: dict[str, Any]) -> dict[str, RunFacet]:
    """The parent facet of a run: an Airflow task, or a step that started others (a pipeline).

    Args:
        parent: as `config.parent_run.parent` tells it; empty: a person asked.
    """
    if "task" in parent:
        return {"parent": _facet(task_run(parent["task"]), AIRFLOW, task_job(parent["task"]))}
    if "run" in parent:
        ours = settings.openlineage_namespace
        return {"parent": _facet(str(UUID(parent["run"])), ours, parent["job"])}
    return {}


def dag_facet(task: dict[str, str]) -> dict[str, RunFacet]:
    """The parent facet of a task's run: its DAG's run."""
    run = str(uuid5(NAMESPACE_URL, _task_name(task, "dag_id", "dag_run_id")))
    return {"parent": _facet(run, AIRFLOW, task["dag_id"])}


def task_run(task: dict[str, str]) -> str:
    """Id of a task's run: each try is a run."""
    parts = ("dag_id", "task_id", "dag_run_id", "try_number")
    return str(uuid5(NAMESPACE_URL, _task_name(task, *parts)))


def task_job(task: dict[str, str]) -> str:
    """Name of a task's job, as OpenLineage names it: `dag.task`."""
    return f"{task['dag_id']}.{task['task_id']}"


def _task_name(task: dict[str, str], *names: str) -> str:
    return "airflow:" + "/".join(task.get(name, "") for name in names)


def _facet(run: str, namespace: str, job: str) -> RunFacet:
    return parent_run.ParentRunFacet(parent_run.Run(run), parent_run.Job(namespace, job))
