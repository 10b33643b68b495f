"""Every DAG parses in real Airflow and keeps the project's rules; messages name the fix."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from yupana.config.settings import ROOT, settings
from yupana.data.contract import names
from yupana.orchestration.thread import airflow_environment

ENGINES = {"pyspark", "torch", "feast", "great_expectations", "mlflow", "kfp", "bentoml"}


@pytest.fixture(scope="module")
def dags(monkeypatch_module):
    for key, value in airflow_environment(settings()).items():
        monkeypatch_module.setenv(key, value)
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=str(ROOT / "dags"))
    assert not bag.import_errors, bag.import_errors
    return bag.dags


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def test_each_contract_has_its_dag(dags) -> None:
    assert {f"ingest_{name}" for name in names(ROOT)} | {"outbreak"} == set(dags)


def test_each_dag_says_what_it_is_and_retries(dags) -> None:
    for name, dag in dags.items():
        assert dag.doc_md, f"{name}: give the module a docstring and pass it as doc"
        for task in dag.tasks:
            assert task.retries >= 1, f"{name}.{task.task_id}: make it by `command`, which retries"
            assert task.owner == "yupana", f"{name}.{task.task_id}: make the DAG by `dag`"


def test_outbreak_waits_for_the_published_table(dags) -> None:
    assert "dengue_linelist" in str(dags["outbreak"].timetable.asset_condition)
    order = [t.task_id for t in dags["outbreak"].topological_sort()]
    assert order == ["features", "train", "deploy", "share"]


@pytest.mark.parametrize("path", sorted((ROOT / "dags").glob("*.py")), ids=lambda p: p.name)
def test_dag_files_import_no_engine(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        found = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        found += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for module in found:
            assert module.split(".")[0] not in ENGINES, f"{path}: run a `yupana` command instead"
