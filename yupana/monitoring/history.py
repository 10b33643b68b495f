"""The checks of every run of the monitor, kept in the platform database: trends are drawn of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from yupana.database.engine import TABLES, Moment, engine
from yupana.ledger import entries, vouched
from yupana.monitoring.check import Check

MOST_POINTS = 260
"""Periods that a trend holds: five years of weeks."""

RUNS = sa.Table(
    "monitor_runs",
    TABLES,
    sa.Column("run", sa.String, primary_key=True),
    sa.Column("use_case", sa.String, nullable=False, index=True),
    sa.Column("period", sa.Date, nullable=False),
    sa.Column("time", Moment, nullable=False),
    sa.Column("facts", sa.Text, nullable=False),
)
CHECKS = sa.Table(
    "monitor_checks",
    TABLES,
    sa.Column("run", sa.String, primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True),
    sa.Column("use_case", sa.String, nullable=False),
    sa.Column("period", sa.Date, nullable=False),
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
    sa.Index("monitor_checks_trend", "use_case", "check", "column", "group", "period"),
)


@dataclass(frozen=True)
class Point:
    """A check in one period: the day that ends it, how far from usual, its limit and state."""

    period: date
    value: float | None
    threshold: float | None
    state: str
    severity: str


def keep(
    url: str, use_case: str, run: str, period: date, checks: Sequence[Check],
    facts: dict[str, Any], now: datetime,
) -> None:  # fmt: skip
    """Write a run and its checks; the same run again takes its own place.

    Args:
        run: names the run: the same for the same inputs.
        facts: what else the run says of itself: model, references.
    """
    head = {"run": run, "use_case": use_case, "period": period}
    rows = [
        {**asdict(check), **head, "place": place, "period": check.period,
         "value": _number(check.value)}
        for place, check in enumerate(checks)
    ]
    with engine(url).begin() as connection:
        vouched.lock(connection)
        for table in (CHECKS, RUNS):
            connection.execute(sa.delete(table).where(table.c.run == run))
        text = json.dumps(facts, ensure_ascii=False, default=str)
        connection.execute(sa.insert(RUNS).values(**head, time=now, facts=text))
        if rows:
            connection.execute(sa.insert(CHECKS), rows)
        changes = vouched.changes(connection, {RUNS: [(run,)], CHECKS: [(run,)]})
        entries.write(connection, changes, now)


def newest_period(url: str, use_case: str) -> date | None:
    """Last day of the newest period that a run has checked; None before the first run."""
    query = sa.select(sa.func.max(RUNS.c.period)).where(RUNS.c.use_case == use_case)
    with engine(url).connect() as connection:
        newest: date | None = connection.execute(query).scalar()
    return newest


def trend(url: str, use_case: str, check: str, column: str, group: str = "") -> list[Point]:
    """One check over the periods, oldest first; of several runs of one the last one counts."""
    c = CHECKS.c
    query = (
        sa.select(c.period, c.value, c.threshold, c.state, c.severity)
        .join_from(CHECKS, RUNS, c.run == RUNS.c.run)
        .where(c.use_case == use_case, c.check == check, c.column == column, c.group == group)
        .order_by(c.period, RUNS.c.time)
    )
    with engine(url).connect() as connection:
        newest = {row["period"]: Point(**row) for row in connection.execute(query).mappings()}
    return list(newest.values())[-MOST_POINTS:]


def _number(value: float | None) -> float | None:
    return None if value is None or value != value else float(value)
