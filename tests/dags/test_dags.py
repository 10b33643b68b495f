"""Every DAG parses in real Airflow and keeps the project's rules; messages name the fix."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest
from dag_bag import dags

from yupana.config.settings import ROOT, Settings
from yupana.core import spec, usecase
from yupana.data.contracts.contract import load, names
from yupana.orchestration import airflow_home

__all__ = ["dags"]
ENGINES = [
    "bentoml",
    "delta",
    "deltalake",
    "evidently",
    "feast",
    "great_expectations",
    "kfp",
    "mlflow",
    "polars",
    "pyspark",
    "pytorch_lightning",
    "torch",
]
PARSE_SECONDS = 1.0
# Airflow's own imports first: what is measured and listed is what the DAG files add to them.
FRESH = """
import json, sys, time
import airflow.sdk
from airflow.dag_processing.dagbag import DagBag
before = set(sys.modules)
start = time.process_time()
bag = DagBag(dag_folder=sys.argv[1])
seconds = time.process_time() - start
added = sorted({name.split(".")[0] for name in set(sys.modules) - before})
tags = {name: sorted(dag.tags) for name, dag in bag.dags.items()}
facts = {"seconds": seconds, "added": added, "errors": bag.import_errors, "tags": tags}
facts["args"] = {name: [list(t.op_args) for t in d.tasks if hasattr(t, "op_args")]
                for name, d in bag.dags.items()}
facts["params"] = {name: sorted(dag.params) for name, dag in bag.dags.items()}
print(json.dumps(facts))
"""


@pytest.fixture(scope="module")
def fresh(tmp_path_factory) -> dict:
    """What reading the DAG folder costs an interpreter that has read nothing else."""
    home = Settings(home=tmp_path_factory.mktemp("fresh"))
    first = read_fresh(home)
    # The first reading may have compiled the files.
    again = first if first["seconds"] < PARSE_SECONDS else read_fresh(home)
    return {**first, "seconds": again["seconds"]}


def read_fresh(home: Settings) -> dict:
    process = subprocess.run(
        [sys.executable, "-c", FRESH, str(home.root / "dags")],
        env=airflow_home.environment(home),
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.splitlines()[-1])


def tasks(dags):
    return [(f"{name}.{t.task_id}", t) for name, dag in dags.items() for t in dag.tasks]


def test_each_contract_has_its_dag(dags) -> None:
    batch, others = ("_backfill", "_monitor_forecast"), {"maintenance"}
    for name in usecase.names():
        more = batch if "predict" in usecase.commands_of(spec.load(name).task) else ()
        others |= {f"{name}{part}" for part in ("", "_log", "_monitor", *more)}
    assert {f"ingest_{name}" for name in names(ROOT)} | others == set(dags)


def test_a_dag_of_a_data_set_says_what_the_contract_says(dags) -> None:
    for name in names(ROOT):
        contract, dag = load(ROOT, name), dags[f"ingest_{name}"]
        for fact in (contract.title, contract.publisher, contract.licence, f"ingest {name}"):
            assert fact in dag.doc_md, f"{dag.dag_id}: put '{fact}' into _doc of dags/ingest.py"
        assert contract.subject_area in dag.tags, f"{dag.dag_id}: tag it by the subject area"
        assert dag.owner == contract.publisher, f"{dag.dag_id}: its owner is the publisher"
        by_clock = dag.timetable.__class__.__name__ == "CronTriggerTimetable"
        assert by_clock == bool(contract.schedule), f"{dag.dag_id}: take the contract's schedule"
        assert bool(dag.is_paused_upon_creation) == by_clock, f"{dag.dag_id}: make it by `dag`"


def test_each_dag_has_owner_documentation_tags_and_a_deadline(dags) -> None:
    for name, dag in dags.items():
        assert dag.doc_md, f"{name}: give the module a docstring and pass it as doc"
        assert dag.tags, f"{name}: pass tags to `dag`"
        assert dag.owner, f"{name}: pass an owner to `dag`"
        assert dag.deadline, f"{name}: make it by `dag`, which sets a deadline"
        assert dag.max_active_runs == 1, f"{name}: make it by `dag`, one run at a time"
        assert not dag.catchup, f"{name}: make it by `dag`; the past is for `airflow backfill`"


def test_each_task_retries_with_growing_delays(dags) -> None:
    for name, task in tasks(dags):
        assert task.retries >= 1, f"{name}: make it by `command`, which retries"
        assert task.retry_exponential_backoff > 1, f"{name}: make its DAG by `dag`"
        assert task.max_active_tis_per_dag == 1, f"{name}: make it by `command`, one at a time"


def test_each_task_is_a_command_that_exists(dags) -> None:
    import typer

    from yupana.cli.main import app

    commands = typer.main.get_command(app).commands
    for name, task in tasks(dags):
        assert task.op_args, f"{name}: make it by `command`"
        first, *rest = task.op_args[0]
        assert first in commands, f"{name}: `yupana {first}` does not exist; see yupana --help"
        assert task.doc_md == f"`yupana {' '.join(task.op_args[0])}`", f"{name}: use `command`"
        commands[first].make_context(first, [*rest, "--json"])


def test_reading_the_dags_imports_no_engine(fresh) -> None:
    assert not fresh["errors"]
    for engine in ENGINES:
        assert engine not in fresh["added"], (
            f"reading dags/ imports {engine}: run a `yupana` command instead, or import it inside "
            "the function that needs it"
        )


def test_reading_the_dags_is_quick(fresh) -> None:
    assert fresh["seconds"] < PARSE_SECONDS, (
        f"reading dags/ took {fresh['seconds']:.2f} s of a processor: the scheduler does it twice "
        "a minute; move what is slow into the command"
    )


def test_a_contract_that_changes_is_read_again(fresh, tmp_path) -> None:
    """And one with a fault shows it, while the others' DAGs stay."""
    for name in ("dags", "expectations", "samples"):
        shutil.copytree(ROOT / name, tmp_path / name)
    home = Settings(root=tmp_path, home=tmp_path / "home")
    before = fresh["tags"]
    contract = tmp_path / "expectations" / "iquitos_weekly" / "contract.yaml"
    contract.write_text(contract.read_text().replace("apiVersion: v3", "apiVersion: w3"))
    after = read_fresh(home)
    assert not after["errors"] and set(after["tags"]) == set(before)
    changed = {name for name, tags in after["tags"].items() if tags != before[name]}
    assert changed == {"ingest_iquitos_weekly"}
    assert "faulty" in after["tags"]["ingest_iquitos_weekly"]


def test_a_stream_runs_what_has_come_by_its_schedule(tmp_path) -> None:
    """Each hour, with the command that ends, and with no parameter of a file's."""
    from yupana.orchestration.cards import cards

    shutil.copytree(ROOT / "dags", tmp_path / "dags")
    shutil.copytree(ROOT / "samples" / "river_levels", tmp_path / "expectations" / "river_levels")
    home = Settings(root=tmp_path, home=tmp_path / "home")
    read = read_fresh(home)
    assert not read["errors"]
    assert read["tags"]["ingest_river_levels"] == ["climate", "ingest"]
    assert read["args"]["ingest_river_levels"] == [[["stream", "river_levels"]]]
    assert read["params"]["ingest_river_levels"] == []
    card = next(c for c in cards(home) if c.name == "river_levels")
    assert card.stream and card.schedule == "@hourly" and not card.fault


def test_outbreak_waits_for_the_published_table(dags) -> None:
    assert "dengue_linelist" in str(dags["outbreak"].timetable.asset_condition)
    order = [t.task_id for t in dags["outbreak"].topological_sort()]
    assert order == ["features", "due", "train", "deploy", "predict", "share"]


def test_the_monitor_waits_for_the_forecast_and_for_the_clock(dags) -> None:
    assert "outbreak_forecast" in str(dags["outbreak_monitor_forecast"].timetable.asset_condition)
    assert dags["outbreak_monitor"].timetable.__class__.__name__ == "CronTriggerTimetable"
    for name in ("outbreak_monitor", "outbreak_monitor_forecast"):
        assert [t.op_args[0] for t in dags[name].tasks] == [["monitor", "outbreak"]]


def test_what_follows_training_runs_without_it_but_not_after_its_failure(dags) -> None:
    for name, after in (("outbreak", "deploy"), ("outbreak_backfill", "predict")):
        rules = {t.task_id: t.trigger_rule.value for t in dags[name].tasks}
        assert rules.pop(after) == "none_failed"
        assert set(rules.values()) == {"all_success"}
        assert not dags[name].get_task("due").ignore_downstream_trigger_rules


def test_the_deadline_calls_what_airflow_can_import(dags) -> None:
    from importlib import import_module

    for dag in dags.values():
        alert = dag.deadline[0] if isinstance(dag.deadline, list) else dag.deadline
        module, _, function = alert.callback.path.rpartition(".")
        assert callable(getattr(import_module(module), function))
