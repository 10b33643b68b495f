"""The whole road as OpenLineage: every event is valid, and the events alone lead to the file."""

from __future__ import annotations

import pytest
from conftest import SAMPLE, Thread
from lineage_server import files_below, graph, place
from test_lineage import told

from yupana.core.hashing import file_sha256

pytestmark = pytest.mark.thread


def test_the_events_of_a_whole_run_lead_from_a_batch_to_the_file(thread: Thread) -> None:
    runs = told(thread.settings)
    links = graph(runs)
    tables = ("/lake/predictions/outbreak", "/lake/forecasts/outbreak")
    batches = [one for one in links if one[1].endswith(tables)]
    assert {name for _, name, _ in batches} == {str(thread.settings.home) + t for t in tables}
    for batch in batches:
        assert files_below(links, batch) == {file_sha256(SAMPLE)}, f"{batch} leads elsewhere"
    read = {place(one) for event in runs for one in event["inputs"]}
    assert read <= links.keys(), "what is read was made by a step under the same name"


def test_tasks_and_pipeline_are_parents(thread: Thread) -> None:
    """Airflow's task asked for the training, the training for its steps."""
    ends = [e for e in told(thread.settings) if e["eventType"] != "START"]
    runs = {event["run"]["runId"]: event["job"]["name"] for event in ends}
    parents = {
        event["job"]["name"]: runs.get(event["run"]["facets"]["parent"]["run"]["runId"], "")
        for event in ends
        if "parent" in event["run"]["facets"]
    }
    for step in ("split", "fit", "pool", "evaluate", "register"):
        assert parents[f"{step}.outbreak"] == "train.outbreak"
    assert parents["train.outbreak"] == "outbreak.train"
    assert parents["features.outbreak"] == "outbreak.features"
    assert parents["ingest.dengue_linelist.publish"] == "ingest.dengue_linelist"
    assert parents["ingest.dengue_linelist"].startswith("ingest_dengue_linelist.")
