"""Checks of the queue: cases that wait for a person beyond their deadline."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.database.engine import engine
from yupana.monitoring.check import Check, State
from yupana.tasks.classify.cases.case import OPEN
from yupana.tasks.classify.cases.tables import CASES

LATE = 0.1
"""Share of open cases beyond their deadline above which someone is told."""


def checks(settings: Settings, use_case: str, day: date) -> list[Check]:
    """Of a day's end: the share of open cases that are late, by department."""
    end = datetime.combine(day, time.max, UTC)
    late = sa.func.sum(sa.case((CASES.c.deadline < end, 1), else_=0))
    query = (
        sa.select(CASES.c.department, sa.func.count(), late)
        .where(CASES.c.use_case == use_case, CASES.c.state.in_(OPEN), CASES.c.received <= end)
        .group_by(CASES.c.department)
        .order_by(CASES.c.department)
    )
    with engine(settings.platform_db).connect() as connection:
        return [_check(day, *row) for row in connection.execute(query)]


def _check(day: date, department: str, count: int, late: int) -> Check:
    share = late / count
    state: State = "alarm" if share > LATE else "ok"
    return Check(
        "queue", "", department, day, share, LATE, state, "warning",
        f"{late} de {count} casos abiertos de {department} pasaron su plazo.",
        f"{late} of {count} open cases of {department} are beyond their deadline.",
        "docs/runbooks.md#queue", "queue" if state == "alarm" else "",
    )  # fmt: skip
