"""One DAG a data contract: fetch, stage, audit and publish that data set.

Adding `expectations/<name>/contract.yaml` adds the DAG `ingest_<name>`; no Python is written.
"""

from __future__ import annotations

from yupana.config.settings import settings
from yupana.data.contract import load, names
from yupana.orchestration.airflow import Asset, command, dag

for _name in names(settings().root):
    _contract = load(settings().root, _name)
    with dag(
        f"ingest_{_name}",
        doc=f"# {_contract.title}\n\n{_contract.publisher}",
        schedule="@weekly",
        tags=["ingest"],
    ) as _dag:
        command("ingest", ["ingest", _name], outlets=[Asset(_name)])
    globals()[_dag.dag_id] = _dag
