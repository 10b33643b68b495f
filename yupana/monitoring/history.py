"""What every run of the monitor found, kept in the platform database: trends are drawn of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from yupana.governance.database import Moment, engine
from yupana.monitoring.checks.check import Check

METADATA = sa.MetaData()
MOST_POINTS = 260
"""Weeks that a trend holds: five years."""

RUNS = sa.Table(
    "monitor_runs",
    METADATA,
    sa.Column("run", sa.String, primary_key=True),
    sa.Column("use_case", sa.String, nullable=False, index=True),
    sa.Column("week", sa.Date, nullable=False),
    sa.Column("time", Moment, nullable=False),
    sa.Column("facts", sa.Text, nullable=False),
)
CHECKS = sa.Table(
    "monitor_checks",
    METADATA,
    sa.Column("run", sa.String, primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True),
    sa.Column("use_case", sa.String, nullable=False),
    sa.Column("week", sa.Date, nullable=False),
    sa.Column("check", sa.String, nullable=False),
    sa.Column("column", sa.String, nullable=False),
    sa.Column("group", sa.String, nullable=False),
    sa.Column("value", sa.Float),
    sa.Column("threshold", sa.Float),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("severity", sa.String, nullable=False),
    sa.Column("es", sa.Text, nullable=False),
    sa.Column("en", sa.Text, nullable=False),
    sa.Column("runbook", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Index("monitor_checks_trend", "use_case", "check", "column", "group", "week"),
)


def keep(
    url: str, use_case: str, run: str, week: date, checks: Sequence[Check],
    facts: dict[str, Any], now: datetime,
) -> None:  # fmt: skip
    """Write a run and its checks; the same run again takes its own place.

    Args:
        run: names the run: the same for the same inputs.
        facts: what else the run says of itself: model, references.
    """
    head = {"run": run, "use_case": use_case, "week": week}
    rows = [
        {**asdict(check), **head, "place": place, "week": check.week, "value": _number(check.value)}
        for place, check in enumerate(checks)
    ]
    with engine(url, METADATA).begin() as connection:
        for table in (CHECKS, RUNS):
            connection.execute(sa.delete(table).where(table.c.run == run))
        told = json.dumps(facts, ensure_ascii=False, default=str)
        connection.execute(sa.insert(RUNS).values(**head, time=now, facts=told))
        if rows:
            connection.execute(sa.insert(CHECKS), rows)


def newest_week(url: str, use_case: str) -> date | None:
    """Last day of the newest week that a run has checked; None before the first run."""
    query = sa.select(sa.func.max(RUNS.c.week)).where(RUNS.c.use_case == use_case)
    with engine(url, METADATA).connect() as connection:
        found: date | None = connection.execute(query).scalar()
    return found


def trend(
    url: str, use_case: str, check: str, column: str, group: str = ""
) -> list[dict[str, Any]]:
    """One check over the weeks, oldest first; of several runs of a week the last one counts.

    Returns:
        `week` (the Saturday that ends it), `value`, `threshold`, `state`, `severity`.
    """
    c = CHECKS.c
    query = (
        sa.select(c.week, c.value, c.threshold, c.state, c.severity)
        .join_from(CHECKS, RUNS, c.run == RUNS.c.run)
        .where(c.use_case == use_case, c.check == check, c.column == column, c.group == group)
        .order_by(c.week, RUNS.c.time)
    )
    with engine(url, METADATA).connect() as connection:
        newest = {row["week"]: dict(row) for row in connection.execute(query).mappings()}
    return list(newest.values())[-MOST_POINTS:]


def runs(url: str, use_case: str) -> list[dict[str, Any]]:
    """All runs, oldest first: `run`, `week`, `time`, `facts`, and by state how many checks."""
    states = ("ok", "alarm", "unknown")
    counted = [
        sa.func.coalesce(sa.func.sum(sa.case((CHECKS.c.state == s, 1), else_=0)), 0).label(s)
        for s in states
    ]
    query = (
        sa.select(RUNS.c.run, RUNS.c.week, RUNS.c.time, RUNS.c.facts, *counted)
        .join_from(RUNS, CHECKS, CHECKS.c.run == RUNS.c.run, isouter=True)
        .where(RUNS.c.use_case == use_case)
        .group_by(RUNS.c.run, RUNS.c.week, RUNS.c.time, RUNS.c.facts)
        .order_by(RUNS.c.time)
    )
    with engine(url, METADATA).connect() as connection:
        found = [dict(row) for row in connection.execute(query).mappings()]
    return [{**row, "facts": json.loads(row["facts"])} for row in found]


def _number(value: float | None) -> float | None:
    return None if value is None or value != value else float(value)
