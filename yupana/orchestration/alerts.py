"""What happens when a DAG run is late: the event log says so.

Airflow's triggerer imports this by name and calls it; nothing else does.
"""

from __future__ import annotations

from typing import Any

from yupana.config.settings import settings
from yupana.lineage import events


async def deadline_missed(context: dict[str, Any]) -> None:
    """Log that a DAG run was not through in time.

    Args:
        context: Airflow's `dag_run` and `deadline`, as JSON.
    """
    run, deadline = context["dag_run"], context["deadline"]
    events.append(
        settings(),
        "deadline",
        run["dag_id"],
        status="failed",
        facts={
            "error": f"not through by {deadline['deadline_time']}",
            "run": run["dag_run_id"],
            "state": run["state"],
        },
    )
