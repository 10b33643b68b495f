"""One line of the event log as OpenLineage events: a START and a COMPLETE or FAIL of each run.

The log is written when a step has ended, so both are told then, with the times of the step. A
run's id is the event's own id: the same line always gives the same runs, however often it is sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from openlineage.client.event_v2 import (
    InputDataset,
    Job,
    OutputDataset,
    Run,
    RunEvent,
    RunState,
    set_producer,
)
from openlineage.client.facet_v2 import RunFacet, error_message_run, job_type_job, tags_run

from yupana.config.settings import Settings
from yupana.lineage.events import Event
from yupana.trace.openlineage import facets, names

PRODUCER = "urn:yupana:lineage"
# Said in every facet, too.
set_producer(PRODUCER)

_ENGINES = {
    "train": "KUBEFLOW", "submit": "KUBEFLOW", "fit": "PYTORCH", "register": "MLFLOW",
    "deploy": "BENTOML", "monitor": "EVIDENTLY", "features": "FEAST", "split": "FEAST",
    "ingest": "SPARK", "compact": "SPARK", "vacuum": "SPARK",
}  # fmt: skip
_PIPELINES = ("train", "submit", "dag", "ingest")
_PARTS = (("stage", "SPARK"), ("audit", "GREAT_EXPECTATIONS"), ("publish", "SPARK"))


@dataclass
class _Run:
    """One run: what becomes a START and an end."""

    id: str
    job: str
    engine: str
    start: datetime
    end: datetime
    inputs: list[InputDataset] = field(default_factory=list)
    outputs: list[OutputDataset] = field(default_factory=list)
    facets: dict[str, RunFacet] = field(default_factory=dict)
    sort: str = "STEP"


def of_event(settings: Settings, event: Event) -> list[RunEvent]:
    """The OpenLineage events of one line of the log, in the order of their times.

    Around the step's own run stands that of the Airflow task that asked for it, and inside an
    ingestion its three parts: stage, audit, publish.
    """
    end = datetime.fromisoformat(event["time"])
    start = end - timedelta(seconds=event["seconds"])
    success = event["status"] == "done"
    step = _step(settings, event, start, end)
    parent = event.get("asked_by", {})
    around = [_task(parent["task"], start, end)] if "task" in parent else []
    inside = list(_parts(settings, event, start)) if success else []
    opened = [_state(settings, run, RunState.START) for run in (*around, step)]
    ended = RunState.COMPLETE if success else RunState.FAIL
    parts = [_state(settings, t, s) for t in inside for s in (RunState.START, RunState.COMPLETE)]
    return [*opened, *parts, *(_state(settings, run, ended) for run in (step, *around))]


def _step(settings: Settings, event: Event, start: datetime, end: datetime) -> _Run:
    run = _Run(
        str(UUID(event["id"])), names.job(event["step"], event["subject"]),
        _ENGINES.get(event["step"], "YUPANA"), start, end,
        sort="PIPELINE" if event["step"] in _PIPELINES else "STEP",
    )  # fmt: skip
    reads, makes = event["inputs"], event["outputs"]
    if event["step"] == "train":
        # The log has the model among what the pipeline's step looked at; the pipeline made it.
        makes = [ref for ref in reads if ref.startswith("model:")]
        reads = [ref for ref in reads if ref not in makes]
    if event["step"] == "ingest":
        # A staging table is of the parts: it is neither read nor kept by the whole.
        reads = [ref for ref in reads if not ref.startswith("delta:staging/")]
    run.inputs = _inputs(settings, event, reads)
    run.outputs = _outputs(settings, event, makes)
    run.facets = names.parent_facet(settings, event.get("asked_by", {}))
    if code := event["facts"].get("code"):
        tags = [tags_run.TagsRunFacetFields(k, str(v), "yupana") for k, v in code.items() if v]
        run.facets["tags"] = tags_run.TagsRunFacet(tags)
    if event["status"] != "done":
        # The log's own words may quote a value of the data: they stay here.
        message = f"The step failed; event {event['id']} of the platform's log says why."
        run.facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(message, "PYTHON")
    return run


def _task(task: dict[str, str], start: datetime, end: datetime) -> _Run:
    return _Run(
        names.task_run(task), names.task_job(task), "AIRFLOW", start, end,
        facets=names.dag_facet(task), sort="TASK",
    )  # fmt: skip


def _parts(settings: Settings, event: Event, start: datetime) -> Iterator[_Run]:
    """What an ingestion by Spark does: raw → staging, the audit of that, staging → published."""
    staged = [ref for ref in event["inputs"] if ref.startswith("delta:staging/")]
    stages = event["facts"].get("stages")
    if event["step"] != "ingest" or not staged or not stages:
        return
    me = {"run": event["id"], "job": names.job("ingest", event["subject"])}
    before = [ref for ref in event["inputs"] if ref.startswith("delta:published/")]
    raw = [ref for ref in event["inputs"] if ref.startswith("raw:")]
    validation = next((r for r in event["outputs"] if r.startswith("validation:")), ":")
    for part, engine in _PARTS:
        seconds = sum(s for name, s in stages.items() if name.split()[0] == part)
        run = _Run(
            str(uuid5(UUID(event["id"]), part)), f"{me['job']}.{part}", engine, start,
            start + timedelta(seconds=seconds), facets=names.parent_facet(settings, me),
        )  # fmt: skip
        start = run.end
        if part == "stage":
            run.inputs, run.outputs = (
                _inputs(settings, event, raw), _outputs(settings, event, staged),
            )  # fmt: skip
        elif part == "audit":
            run.inputs = _inputs(settings, event, staged)
            rules = facets.assertions(settings, event["subject"], validation.partition(":")[2])
            run.inputs[0].inputFacets = rules
        else:
            run.inputs = _inputs(settings, event, [*staged, *before])
            run.outputs = _outputs(settings, event, event["outputs"])
        yield run


def _inputs(settings: Settings, event: Event, refs: list[str]) -> list[InputDataset]:
    sets = _sets(settings, event, refs)
    return [InputDataset(d.namespace, d.name, facets=about) for _, d, about in sets]


def _outputs(settings: Settings, event: Event, refs: list[str]) -> list[OutputDataset]:
    outputs = []
    for ref, dataset, about in _sets(settings, event, refs):
        if ref.startswith("raw:"):
            about |= facets.of_landed(event)
        one = OutputDataset(dataset.namespace, dataset.name, facets=about)
        one.outputFacets = facets.output_statistics(event, ref)
        outputs.append(one)
    return outputs


def _sets(
    settings: Settings, event: Event, refs: list[str]
) -> Iterator[tuple[str, names.DatasetName, facets.Facets]]:
    """The data sets among some references, each with what its reference tells."""
    for ref in refs:
        if dataset := names.dataset(settings, ref, event["subject"]):
            yield ref, dataset, facets.of(settings, ref, dataset)


def _state(settings: Settings, run: _Run, state: RunState) -> RunEvent:
    opening = state == RunState.START
    time = run.start if opening else run.end
    about = job_type_job.JobTypeJobFacet("BATCH", run.engine, run.sort)
    own = {k: v for k, v in run.facets.items() if not opening or k == "parent"}
    return RunEvent(
        eventTime=time.isoformat(timespec="milliseconds"),
        eventType=state,
        run=Run(run.id, own),
        job=Job(settings.openlineage_namespace, run.job, {"jobType": about}),
        inputs=run.inputs,
        outputs=[] if opening else run.outputs,
    )
