"""Housekeeping of the lake, once a week: compact tables, remove old files, forget raw files.

Nothing that an event, a model or a report refers to is touched. `yupana maintain --dry-run`
tells what would be done.
"""

from __future__ import annotations

from yupana.orchestration.airflow import command, dag

with dag("maintenance", doc=__doc__, schedule="@weekly", tags=["lake"]) as maintenance:
    (
        command("compact", ["maintain", "compact"])
        >> command("vacuum", ["maintain", "vacuum"])
        >> command("forget", ["maintain", "forget"])
    )
