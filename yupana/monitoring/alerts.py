"""Alerts: one open for each use case, check, column and group, until someone or the data close it.

A repeat is counted, not told again; a higher severity is told. One that was closed opens again
when its alarm comes back. What must be told is kept with the alert (`delivery` sends it), so that
no outage of a mail server or webhook loses it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.governance import people
from yupana.governance.database import Moment, engine
from yupana.governance.ledger import book
from yupana.monitoring import messages, rules
from yupana.monitoring.checks.check import Check

METADATA = sa.MetaData()
ACTIVE = ("open", "acknowledged")
_ORDER = {"info": 0, "warning": 1, "critical": 2}

ALERTS = sa.Table(
    "alerts",
    METADATA,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("use_case", sa.String, nullable=False, index=True),
    sa.Column("check", sa.String, nullable=False),
    sa.Column("column", sa.String, nullable=False),
    sa.Column("group", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("severity", sa.String, nullable=False),
    sa.Column("owner", sa.String, nullable=False),
    sa.Column("asks", sa.String, nullable=False),
    sa.Column("runbook", sa.String, nullable=False),
    sa.Column("es", sa.Text, nullable=False),
    sa.Column("en", sa.Text, nullable=False),
    sa.Column("value", sa.Float),
    sa.Column("threshold", sa.Float),
    sa.Column("first_week", sa.Date, nullable=False),
    sa.Column("week", sa.Date, nullable=False),
    sa.Column("opened", Moment, nullable=False),
    sa.Column("seen", Moment, nullable=False),
    sa.Column("times", sa.Integer, nullable=False),
    sa.Column("reopened", sa.Integer, nullable=False),
    sa.Column("run", sa.String, nullable=False),
    sa.Column("by", sa.String, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
)


def fingerprint(use_case: str, check: Check) -> str:
    """Names an alert: 12 hex digits, the same for the same check, column and group."""
    parts = (use_case, check.check, check.column, check.group)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def update(
    settings: Settings, use_case: str, run: str, checks: Sequence[Check], owner: str, now: datetime
) -> dict[str, list[str]]:
    """Open, repeat, worsen and resolve alerts by a run's checks; the same run counts once.

    An alert whose check is `ok` again is resolved; one whose check is `unknown`, or was not made,
    stays as it is.

    Args:
        owner: who answers for the use case.

    Returns:
        Ids by what happened: `opened`, `reopened`, `worse`, `repeated`, `resolved`.
    """
    found: dict[str, list[str]] = {
        name: [] for name in ("opened", "reopened", "worse", "repeated", "resolved")
    }
    told: list[tuple[str, dict[str, Any]]] = []
    loud = {fingerprint(use_case, c): c for c in rules.alarms(checks)}
    quiet = {fingerprint(use_case, c): c for c in checks if c.state == "ok"}
    with _alone(settings) as connection:
        before = _all(connection, use_case)
        for name, check in loud.items():
            what, row = _next(before.get(name), use_case, name, run, check, owner, now)
            if what:
                found[what].append(name)
                _put(connection, row)
                told.append((what, row))
        for name, check in quiet.items():
            old = before.get(name)
            if old and old["state"] in ACTIVE:
                row = {**old, "state": "resolved", "seen": now, "run": run, **_seen(check)}
                found["resolved"].append(name)
                _put(connection, row)
                told.append(("resolved", row))
        told = [(what, row) for what, row in told if what != "repeated"]
        for what, row in told:
            messages.add(settings, connection, row, what, now)
        messages.enter(connection, told, run, now)
    if told:
        book.witness(settings)
    return found


def open(url: str, use_case: str = "") -> list[dict[str, Any]]:
    """Alerts that are open or acknowledged, the gravest first; of all use cases without a name.

    Returns:
        The columns of `ALERTS`.
    """
    with engine(url, METADATA).connect() as connection:
        rows = [r for r in _all(connection, use_case).values() if r["state"] in ACTIVE]
    return sorted(rows, key=lambda r: (-_ORDER[r["severity"]], r["opened"], r["id"]))


def every(url: str, use_case: str = "") -> list[dict[str, Any]]:
    """All alerts there ever were, the one seen last first."""
    with engine(url, METADATA).connect() as connection:
        rows = list(_all(connection, use_case).values())
    return sorted(rows, key=lambda r: (r["seen"], r["id"]), reverse=True)


def answer(
    settings: Settings, name: str, state: str, account: str, note: str, now: datetime
) -> dict[str, Any]:
    """Acknowledge or close an alert, with who did it in the ledger (as a pseudonym).

    Args:
        name: the alert's id, or its first digits.
        state: `acknowledged` or `closed`.
        account: who does it (`os:NAME`).
        note: what was found or done; no personal data.

    Returns:
        The alert as it is now.

    Raises:
        UsageError: no such alert, or it is not open.
    """
    actor = people.pseudonym(settings, account)
    with _alone(settings) as connection:
        rows = [r for i, r in _all(connection, "").items() if name and i.startswith(name)]
        if len(rows) != 1 or rows[0]["state"] not in ACTIVE:
            raise UsageError(
                f"{len(rows)} alerts begin with '{name}'"
                if len(rows) != 1
                else f"The alert '{rows[0]['id']}' is {rows[0]['state']}.",
                where="alert id",
                fix="`yupana alerts list` tells the open ones.",
            )
        row = {**rows[0], "state": state, "by": actor, "note": note, "seen": now}
        _put(connection, row)
        messages.answered(connection, row, actor, now)
    book.witness(settings)
    return row


@contextmanager
def _alone(settings: Settings) -> Iterator[sa.Connection]:
    """A transaction that no other writer of alerts is in: two must not open the same one."""
    messages.prepare(settings.platform_db)
    with engine(settings.platform_db, METADATA).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("LOCK TABLE alerts IN SHARE ROW EXCLUSIVE MODE"))
        else:
            # The first write takes SQLite's lock, before anything is read.
            connection.execute(sa.update(ALERTS).where(ALERTS.c.id == "").values(note=""))
        yield connection


def _next(
    old: dict[str, Any] | None, use_case: str, name: str, run: str, check: Check, owner: str,
    now: datetime,
) -> tuple[str, dict[str, Any]]:  # fmt: skip
    """What an alarm does to its alert, and the alert after it; nothing if it was counted."""
    row: dict[str, Any] = {
        "id": name, "use_case": use_case, "check": check.check, "column": check.column,
        "group": check.group, "kind": check.kind, "state": "open", "severity": check.severity,
        "owner": owner, "asks": rules.asks(check), "runbook": check.runbook, "es": check.es,
        "en": check.en, "value": check.value, "threshold": check.threshold,
        "first_week": check.week, "week": check.week, "opened": now, "seen": now, "times": 1,
        "reopened": 0, "run": run, "by": "", "note": "",
    }  # fmt: skip
    if old is None:
        return "opened", row
    if old["run"] == run and old["state"] in ACTIVE:
        return "", row
    row["times"] = old["times"] + 1
    if old["state"] not in ACTIVE:
        # The same run may have been closed by hand: its alarm is not a new one.
        if old["run"] == run:
            return "", row
        return "reopened", {**row, "reopened": old["reopened"] + 1}
    kept = {k: old[k] for k in ("first_week", "opened", "reopened", "state", "by", "note")}
    if _ORDER[check.severity] > _ORDER[old["severity"]]:
        # Worse than what someone acknowledged: it is open again.
        return "worse", {**row, **kept, "state": "open"}
    return "repeated", {**row, **kept}


def _seen(check: Check) -> dict[str, Any]:
    return {"week": check.week, "value": check.value, "es": check.es, "en": check.en}


def _all(connection: sa.Connection, use_case: str) -> dict[str, dict[str, Any]]:
    query = sa.select(ALERTS)
    if use_case:
        query = query.where(ALERTS.c.use_case == use_case)
    return {row["id"]: dict(row) for row in connection.execute(query).mappings()}


def _put(connection: sa.Connection, row: dict[str, Any]) -> None:
    connection.execute(sa.delete(ALERTS).where(ALERTS.c.id == row["id"]))
    connection.execute(sa.insert(ALERTS).values(**row))
