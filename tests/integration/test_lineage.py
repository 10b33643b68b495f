"""The event log as OpenLineage: what is told of a step, and that it is OpenLineage."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
import small_lake
from lineage_server import files_below, graph, place
from openlineage.client.serde import Serde
from openlineage_schema import faults
from recall_case import Planted

from tests import event_rows
from yupana.config.settings import ROOT, Settings
from yupana.core.progress import Silent
from yupana.lineage import events, steps
from yupana.predictions import export
from yupana.trace import backward
from yupana.trace.openlineage import runs

RAW = "raw:" + "a" * 64
STAGED, TABLE = (f"delta:{zone}/{small_lake.NAME}" for zone in ("staging", "published"))
CHILD = """
from yupana.config.settings import settings
from yupana.lineage import steps
steps.run(settings(), "fit", "outbreak", lambda: steps.Outcome(("member:1",)))
"""


def told(settings: Settings) -> list[dict[str, Any]]:
    """Every event of the log as OpenLineage, as it goes out; each is OpenLineage."""
    documents = [
        Serde.to_dict(one)
        for event in events.read(settings.events)
        for one in runs.of_event(settings, event)
    ]
    assert [fault for one in documents for fault in faults(one)] == []
    return documents


def done(
    settings: Settings, step: str, inputs: tuple[str, ...], *outputs: str, **facts: Any
) -> str:
    return events.append(
        settings, step, small_lake.NAME, status="done", inputs=inputs, outputs=outputs,
        facts=facts, seconds=90.0,
    )  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    project = small_lake.make(tmp_path)
    small_lake.publish(project, small_lake.frame(), known_on="2024-03-12")
    event_rows.clear(project)
    return project


def test_a_step_is_a_run_with_the_events_own_id(settings: Settings) -> None:
    event = done(settings, "features", (f"{TABLE}@0",), "delta:features/w@0", rows=7)
    start, end = told(settings)
    assert (start["eventType"], end["eventType"]) == ("START", "COMPLETE")
    assert start["run"]["runId"] == end["run"]["runId"] == str(uuid.UUID(event))
    assert end["job"]["namespace"] == "yupana"
    assert end["job"]["name"] == f"features.{small_lake.NAME}"
    assert start["eventTime"] < end["eventTime"] and start["outputs"] == []
    (read,), (wrote,) = end["inputs"], end["outputs"]
    assert place(read) == ("file", str(settings.table("published", small_lake.NAME)), "0")
    columns = {field["name"]: field["type"] for field in read["facets"]["schema"]["fields"]}
    assert columns["week"] == "integer" and columns["quality_flags"] == "array"
    assert wrote["outputFacets"]["outputStatistics"]["rowCount"] == 7
    assert told(settings) == [start, end], "the same log gives the same events"


def test_a_failed_step_fails_and_its_words_stay_here(settings: Settings) -> None:
    def work() -> steps.Outcome:
        raise ValueError("DNI 12345678 is not a number")

    with pytest.raises(ValueError):
        steps.run(settings, "features", "outbreak", work, inputs=(RAW,))
    end = told(settings)[-1]
    assert end["eventType"] == "FAIL" and end["outputs"] == []
    assert "errorMessage" in end["run"]["facets"] and "12345678" not in json.dumps(end)


def test_an_ingestion_tells_its_true_inputs_and_its_audit(settings: Settings) -> None:
    stages = {"read cases.csv": 1.0, "stage cases.csv": 10.0, "audit 60 rows by …": 20.0,
              "publish": 5.0}  # fmt: skip
    event = done(
        settings, "ingest", (RAW, f"{STAGED}@4", f"{TABLE}@0"), f"{TABLE}@1",
        f"delta:quarantine/{small_lake.NAME}@1", "validation:v1", stages=stages,
        rows={"read": 60, "published": 58, "quarantined": 2},
    )  # fmt: skip
    ended = [e for e in told(settings) if e["eventType"] == "COMPLETE"]
    ends = {e["job"]["name"].rpartition(".")[2]: e for e in ended}
    stage, audit, publish = (ends[part] for part in ("stage", "audit", "publish"))
    assert [place(d)[1:] for d in stage["inputs"]] == [(f"raw/{'a' * 64}", "a" * 64)]
    assert place(stage["outputs"][0]) == place(audit["inputs"][0]) == place(publish["inputs"][0])
    assert [place(d)[2] for d in publish["inputs"]] == ["4", "0"], "staging, and what it keeps"
    rows = [d["outputFacets"]["outputStatistics"]["rowCount"] for d in publish["outputs"]]
    assert rows == [58, 2]
    checks = audit["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert {"assertion": "week.required", "success": True, "column": "week", "params": {}} in checks
    assert all(e["run"]["facets"]["parent"]["run"]["runId"] == str(uuid.UUID(event))
               for e in (stage, audit, publish))  # fmt: skip
    times = [e["eventTime"] for e in told(settings)]
    assert times == sorted(times[:-1]) + times[-1:] and times[-1] == max(times)


def test_where_a_file_came_from_without_keys_or_folders(settings: Settings) -> None:
    address = "https://user:secret@data.example.pe:8443/cases.csv?token=abc"
    for source in (address, "/home/juana/cases.csv"):
        raw = {"source": source, "size": 12, "path": str(settings.home / "landing/x")}
        done(settings, "land", (), RAW, raw=raw, publisher="CDC Perú", licence="ODC-BY")
    far, near = (e["outputs"][0] for e in told(settings) if e["eventType"] == "COMPLETE")
    assert far["facets"]["dataSource"]["uri"] == "https://data.example.pe:8443/cases.csv"
    assert near["facets"]["dataSource"]["name"] == "cases.csv"
    assert "juana" not in json.dumps(near["facets"]["dataSource"])
    assert far["facets"]["ownership"]["owners"] == [{"name": "CDC Perú", "type": "PUBLISHER"}]
    assert far["facets"]["tags"]["tags"][0]["value"] == "ODC-BY"
    assert far["outputFacets"]["outputStatistics"]["size"] == 12


def test_the_pipeline_is_the_parent_of_its_steps_and_airflow_of_the_pipeline(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a task that runs `yupana train`, whose components are processes of their own."""
    task = {"DAG_ID": "outbreak", "TASK_ID": "train", "DAG_RUN_ID": "manual__1", "TRY_NUMBER": "2"}

    def train() -> steps.Outcome:
        subprocess.run(
            [sys.executable, "-c", CHILD], env=settings.environment(), cwd=ROOT, check=True
        )
        return steps.Outcome(("pipeline:1",), ("model:outbreak@1",))

    def dag() -> steps.Outcome:
        # Airflow starts its tasks below the step that asked for the DAG.
        with monkeypatch.context() as inner:
            for name, value in task.items():
                inner.setenv(f"AIRFLOW_CTX_{name}", value)
            steps.run(settings, "train", "outbreak", train, inputs=("delta:features/w@0",))
        return steps.Outcome(())

    steps.run(settings, "dag", "outbreak", dag)
    ends = {e["job"]["name"]: e for e in told(settings) if e["eventType"] == "COMPLETE"}
    parents = {
        n: e["run"]["facets"]["parent"]["job"] for n, e in ends.items() if n != "dag.outbreak"
    }
    assert {n: (job["namespace"], job["name"]) for n, job in parents.items()} == {
        "fit.outbreak": ("yupana", "train.outbreak"),
        "train.outbreak": ("airflow", "outbreak.train"),
        "outbreak.train": ("airflow", "outbreak"),
    }
    assert "parent" not in ends["dag.outbreak"]["run"]["facets"], "a person asked for it"
    for child, parent in (("fit.outbreak", "train.outbreak"), ("train.outbreak", "outbreak.train")):
        run = ends[child]["run"]["facets"]["parent"]["run"]["runId"]
        assert run == ends[parent]["run"]["runId"], f"{child} points into the void"
    assert [place(d)[1] for d in ends["train.outbreak"]["outputs"]] == ["model/outbreak"]
    assert "YUPANA_ASKED_BY" not in os.environ


def test_the_graph_of_the_events_alone_leads_from_a_batch_to_its_files(tmp_path: Path) -> None:
    home = Planted(tmp_path)
    links = graph(told(home.settings))
    batch = max(p for p in links if p[1].endswith("/lake/predictions/outbreak"))
    node = backward.trace(home.settings.events, f"delta:predictions/outbreak@{batch[2]}")
    assert files_below(links, batch) == {ref.removeprefix("raw:") for ref in backward.sources(node)}
    assert {"a" * 64, "b" * 64, "c" * 64} == files_below(links, batch)
    clean = next(p for p in links if p[1] == "model/outbreak" and p[2] == "1")
    assert files_below(links, clean) == {"a" * 64}


def test_no_answer_and_no_asker_is_told(tmp_path: Path) -> None:
    """A batch of answers is one event: not who asked, not for which district."""
    home = Planted(tmp_path)
    export.export(home.settings, "outbreak", Silent())
    runs = told(home.settings)
    assert len(runs) == 2 * sum(1 for _ in events.read(home.settings.events))
    text = json.dumps(runs)
    assert not [one for one in (*home.touched, *home.free, "160101", '"k1"') if one in text]
