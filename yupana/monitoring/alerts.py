"""Alerts: one open for each use case, check, column and group, until someone or the data close it.

A repeat is counted, not told again; a higher severity is told. One that was closed opens again
when its alarm comes back. What must be told is kept with the alert (`delivery` sends it), so that
no outage of a mail server or webhook loses it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core import reason
from yupana.core.errors import UsageError
from yupana.database.engine import TABLES, Moment, engine
from yupana.ledger import pseudonyms, vouched, witness
from yupana.monitoring import messages
from yupana.monitoring.check import Check, alarms, asks

ACTIVE = ("open", "acknowledged")
_ORDER = {"info": 0, "warning": 1, "critical": 2}

ALERTS = sa.Table(
    "alerts",
    TABLES,
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
    sa.Column("first_period", sa.Date, nullable=False),
    sa.Column("period", sa.Date, nullable=False),
    sa.Column("opened", Moment, nullable=False),
    sa.Column("seen", Moment, nullable=False),
    sa.Column("times", sa.Integer, nullable=False),
    sa.Column("reopened", sa.Integer, nullable=False),
    sa.Column("run", sa.String, nullable=False),
    sa.Column("by", sa.String, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
)


@dataclass(frozen=True)
class Alert:
    """A row of `ALERTS`.

    Attributes:
        id: `fingerprint` of its check.
        check, column, group, kind, severity, runbook, es, en, value, threshold: of the newest
            check that alarmed, see `Check`.
        state: `open`, `acknowledged`, `resolved` (by the data) or `closed` (by a person).
        owner: who answers for the use case.
        asks: `retrain` or `person`.
        first_period, period: the day that ends the first, and the newest, period that alarmed.
        opened, seen: when it was opened, and last changed (UTC).
        times: runs that counted it.
        reopened: times that it came back.
        run: the newest that changed it.
        by, note: the pseudonym of who answered it, and their words.
    """

    id: str
    use_case: str
    check: str
    column: str
    group: str
    kind: str
    state: str
    severity: str
    owner: str
    asks: str
    runbook: str
    es: str
    en: str
    value: float | None
    threshold: float | None
    first_period: date
    period: date
    opened: datetime
    seen: datetime
    times: int
    reopened: int
    run: str
    by: str
    note: str

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE


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
    ids: dict[str, list[str]] = {
        name: [] for name in ("opened", "reopened", "worse", "repeated", "resolved")
    }
    changes: list[tuple[str, Alert]] = []
    alarming = {fingerprint(use_case, c): c for c in alarms(checks)}
    quiet = {fingerprint(use_case, c): c for c in checks if c.state == "ok"}
    with _alone(settings) as connection:
        before = _all(connection, use_case)
        digests = vouched.present(connection, {ALERTS: [(name,) for name in before]})
        for name, check in alarming.items():
            fresh = _alert(use_case, name, run, check, owner, now)
            what, alert = _next(before.get(name), fresh)
            if what:
                ids[what].append(name)
                _put(connection, alert)
                changes.append((what, alert))
        for name, check in quiet.items():
            old = before.get(name)
            if old and old.is_active:
                alert = replace(
                    old, state="resolved", seen=now, run=run, period=check.period,
                    value=check.value, es=check.es, en=check.en,
                )  # fmt: skip
                ids["resolved"].append(name)
                _put(connection, alert)
                changes.append(("resolved", alert))
        news = [(what, alert) for what, alert in changes if what != "repeated"]
        deliveries: list[tuple[str, str]] = []
        for what, alert in news:
            deliveries += messages.add(settings, connection, alert, what, now)
        rows: vouched.Changes = {ALERTS: [(alert.id,) for _, alert in changes]}
        rows = {**rows, messages.MESSAGES: deliveries}
        messages.enter(connection, news, run, vouched.changes(connection, rows, digests), now)
    if changes:
        witness.leave(settings)
    return ids


def open(url: str, use_case: str = "") -> list[Alert]:
    """Alerts that are open or acknowledged, the gravest first; of all use cases without a name."""
    with engine(url).connect() as connection:
        active = [a for a in _all(connection, use_case).values() if a.is_active]
    return sorted(active, key=lambda a: (-_ORDER[a.severity], a.opened, a.id))


def every(url: str, use_case: str = "") -> list[Alert]:
    """All alerts there ever were, the one seen last first."""
    with engine(url).connect() as connection:
        alerts = _all(connection, use_case).values()
    return sorted(alerts, key=lambda a: (a.seen, a.id), reverse=True)


def answer(
    settings: Settings, name: str, state: str, account: str, note: str, now: datetime
) -> Alert:
    """Acknowledge or close an alert, with who did it in the ledger (as a pseudonym).

    Args:
        name: the alert's id, or its first digits.
        state: `acknowledged` or `closed`.
        account: who does it (`os:NAME`).
        note: what was found or done; no personal data.

    Returns:
        The alert as it is now.

    Raises:
        UsageError: no such alert, it is not open, or the note cannot be shown (`reason.plain`).
    """
    reason.plain(note, "--note")
    actor = pseudonyms.pseudonym(settings, account, now)
    with _alone(settings) as connection:
        matches = [a for i, a in _all(connection, "").items() if name and i.startswith(name)]
        if len(matches) != 1 or not matches[0].is_active:
            raise UsageError(
                f"{len(matches)} alerts begin with '{name}'"
                if len(matches) != 1
                else f"The alert '{matches[0].id}' is {matches[0].state}.",
                where="alert id",
                fix="`yupana alerts list` tells the open ones.",
            )
        alert = replace(matches[0], state=state, by=actor, note=note, seen=now)
        digests = vouched.present(connection, {ALERTS: [(alert.id,)]})
        _put(connection, alert)
        rows = vouched.changes(connection, {ALERTS: [(alert.id,)]}, digests)
        messages.enter_answer(connection, alert, actor, rows, now)
    witness.leave(settings)
    return alert


@contextmanager
def _alone(settings: Settings) -> Iterator[sa.Connection]:
    """A transaction that no other writer of alerts is in: two must not open the same one."""
    with engine(settings.platform_db).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("LOCK TABLE alerts IN SHARE ROW EXCLUSIVE MODE"))
        else:
            # The first write takes SQLite's lock, before anything is read.
            connection.execute(sa.update(ALERTS).where(ALERTS.c.id == "").values(note=""))
        yield connection


def _alert(
    use_case: str, name: str, run: str, check: Check, owner: str, now: datetime
) -> Alert:
    """The alert of a check that alarms for the first time."""
    return Alert(
        id=name, use_case=use_case, check=check.check, column=check.column, group=check.group,
        kind=check.kind, state="open", severity=check.severity, owner=owner,
        asks=asks(check), runbook=check.runbook, es=check.es, en=check.en,
        value=check.value, threshold=check.threshold, first_period=check.period,
        period=check.period, opened=now, seen=now, times=1, reopened=0, run=run, by="", note="",
    )  # fmt: skip


def _next(old: Alert | None, fresh: Alert) -> tuple[str, Alert]:
    """What an alarm does to its alert, and the alert after it; nothing if it was counted."""
    if old is None:
        return "opened", fresh
    # The same run may have been closed by hand: its alarm is not a new one.
    if old.run == fresh.run:
        return "", fresh
    fresh = replace(fresh, times=old.times + 1)
    if not old.is_active:
        return "reopened", replace(fresh, reopened=old.reopened + 1)
    repeat = replace(
        fresh, first_period=old.first_period, opened=old.opened, reopened=old.reopened,
        state=old.state, by=old.by, note=old.note,
    )  # fmt: skip
    if _ORDER[fresh.severity] > _ORDER[old.severity]:
        # Worse than what someone acknowledged: it is open again.
        return "worse", replace(repeat, state="open")
    return "repeated", repeat


def _all(connection: sa.Connection, use_case: str) -> dict[str, Alert]:
    query = sa.select(ALERTS)
    if use_case:
        query = query.where(ALERTS.c.use_case == use_case)
    return {row["id"]: Alert(**row) for row in connection.execute(query).mappings()}


def _put(connection: sa.Connection, alert: Alert) -> None:
    connection.execute(sa.delete(ALERTS).where(ALERTS.c.id == alert.id))
    connection.execute(sa.insert(ALERTS).values(**asdict(alert)))
