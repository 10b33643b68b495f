"""One DAG a data contract: fetch, stage, audit and publish that data set.

Adding `expectations/<name>/contract.yaml` adds the DAG `ingest_<name>`; no Python is written.
A stream's publishes what has come since its last run.
"""

from __future__ import annotations

from yupana.config.settings import settings
from yupana.orchestration.airflow import DATED, TEAM, Asset, command, dag
from yupana.orchestration.cards import Card, cards

_DOC = """# {title}

{publisher} · {licence}

{purpose}

**Limitations.** {limitations}

**Runs** {schedule}; **reported** {latency}; **raw files are kept** {retention}.
"""
_FILES = """
The command is `yupana ingest {name}`; the form of a run by hand takes another file (`source`) and
the date on which it was what was known (`as_of`).

The past comes from an archive of dated files, oldest first and before anything newer is published:
switch the DAG on, then

```
airflow backfill create --dag-id ingest_{name} --from-date 2026-01-01 --to-date <today> \\
  --max-active-runs 1 --dag-run-conf '{{"source": "/archive/{name}-{{date}}.csv"}}'
```
"""
_STREAM = """
The command is `yupana stream {name}`: it publishes all messages that are there, and ends. A task
that fails because too many of them break a rule has published the others, and the next run goes on.
"""
_FAULT = """# {name}: the contract cannot be used

```
{fault}
```
"""


def _doc(card: Card) -> str:
    if card.fault:
        return _FAULT.format(name=card.name, fault=card.fault)
    latency, retention = card.latency_days, card.retention_days
    return (_DOC + (_STREAM if card.stream else _FILES)).format(
        name=card.name,
        title=card.title,
        publisher=card.publisher,
        licence=card.licence,
        purpose=card.purpose or "No purpose stated.",
        limitations=card.limitations or "None stated.",
        schedule=card.schedule or "on demand",
        latency="with a delay that is not stated" if latency is None else f"{latency} days late",
        retention="for ever" if retention is None else f"{retention} days",
    )


for _card in cards(settings()):
    with dag(
        f"ingest_{_card.name}",
        doc=_doc(_card),
        schedule=_card.schedule,
        owner=_card.publisher or TEAM,
        tags=["ingest", "faulty" if _card.fault else _card.subject_area or "other"],
        params=None if _card.stream else DATED,
    ) as _dag:
        _verb = "stream" if _card.stream else "ingest"
        command(_verb, [_verb, _card.name], outlets=[Asset(_card.name)])
    globals()[_dag.dag_id] = _dag
