"""One DAG a data contract: fetch, stage, audit and publish that data set.

Adding `expectations/<name>/contract.yaml` adds the DAG `ingest_<name>`; no Python is written.
"""

from __future__ import annotations

from yupana.config.settings import settings
from yupana.data.contract import Contract, load, names
from yupana.orchestration.airflow import DATED, Asset, command, dag

_DOC = """# {title}

{publisher} · {licence}

{purpose}

**Limitations.** {limitations}

**Runs** {schedule}; **reported** {latency}; **raw files are kept** {retention}.

The command: `yupana ingest {name}` (by hand, with `source` and `as_of` in the run's form for
another file). The past, from an archive of dated files:

```
airflow backfill create --dag-id ingest_{name} --from-date 2026-01-01 --to-date 2026-06-30 \\
  --dag-run-conf '{{"source": "/archive/{name}-{{date}}.csv"}}'
```
"""


def _doc(contract: Contract) -> str:
    late, kept = contract.latency_days, contract.retention_days
    return _DOC.format(
        name=contract.name,
        title=contract.title,
        publisher=contract.publisher,
        licence=contract.licence,
        purpose=contract.purpose or "No purpose stated.",
        limitations=contract.limitations or "None stated.",
        schedule=contract.schedule or "on demand",
        latency="with a delay that is not stated" if late is None else f"{late} days late",
        retention="for ever" if kept is None else f"{kept} days",
    )


for _name in names(settings().root):
    _contract = load(settings().root, _name)
    with dag(
        f"ingest_{_name}",
        doc=_doc(_contract),
        schedule=_contract.schedule,
        owner=_contract.publisher,
        tags=["ingest", _contract.subject_area or "other"],
        params=DATED,
    ) as _dag:
        command("ingest", ["ingest", _name], outlets=[Asset(_name)])
    globals()[_dag.dag_id] = _dag
