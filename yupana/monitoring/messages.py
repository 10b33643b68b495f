"""What is told of an alert, kept in the transaction that changes it, and its ledger entries."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.database.engine import TABLES
from yupana.ledger import entries as book
from yupana.ledger.entries import Entry

if TYPE_CHECKING:
    from yupana.monitoring.alerts import Alert

LOG, MAIL, WEBHOOK = "log", "mail", "webhook"

MESSAGES = sa.Table(
    "alert_messages",
    TABLES,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("channel", sa.String, primary_key=True),
    sa.Column("alert", sa.String, nullable=False),
    sa.Column("time", sa.Float, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("delivered", sa.Float),
    sa.Index("alert_messages_waiting", "delivered", "time"),
)
"""One message to one channel; `id` is the same for all channels and all tries of a message."""

_SUBJECTS = {
    "opened": ("alerta nueva", "new alert"),
    "reopened": ("la alerta volvió", "the alert is back"),
    "worse": ("la alerta empeoró", "the alert got worse"),
    "resolved": ("la alerta se resolvió", "the alert is resolved"),
}
_FIELDS = (
    "use_case", "check", "column", "group", "kind", "severity", "owner", "asks", "runbook", "es",
    "en", "state",
)  # fmt: skip


def channels(settings: Settings) -> list[str]:
    """Where alerts are told: the log always, the others where they are set."""
    mail = [MAIL] if settings.alert_smtp and settings.alert_to else []
    return [LOG, *mail, *([WEBHOOK] if settings.alert_webhook else [])]


def add(
    settings: Settings, connection: sa.Connection, alert: Alert, what: str, now: datetime
) -> list[tuple[str, str]]:
    """Keep one message for each channel, until it is delivered there.

    Args:
        what: `opened`, `reopened`, `worse` or `resolved`.

    Returns:
        The keys of the rows that it wrote or removed.
    """
    es, en = _SUBJECTS[what]
    name = f"{alert.id}-{alert.times}-{what}"
    body = {
        "id": name,
        "what": what,
        "alert": alert.id,
        "time": now.isoformat(timespec="seconds"),
        "period": str(alert.period),
        "times": alert.times,
        "subject": f"[yupana] {alert.use_case}: {es} / {en}: {alert.check}",
        **{name: getattr(alert, name) for name in _FIELDS},
    }
    text = json.dumps(body, ensure_ascii=False, sort_keys=True)
    fresh = {"id": name, "alert": alert.id, "time": now.timestamp(), "body": text}
    c = MESSAGES.c
    stale = sa.delete(MESSAGES).where(c.id == name).returning(c.channel)
    removed = list(connection.scalars(stale))
    for channel in channels(settings):
        connection.execute(
            sa.insert(MESSAGES).values(**fresh, channel=channel, tries=0, error="")
        )  # fmt: skip
    return [(name, channel) for channel in dict.fromkeys([*removed, *channels(settings)])]


def enter(
    connection: sa.Connection, changes: list[tuple[str, Alert]], run: str, rows: Sequence[Entry],
    now: datetime,
) -> None:  # fmt: skip
    """Write into the ledger what a run changed, last in its transaction.

    Args:
        rows: the entries that vouch for the rows it wrote.
    """
    entries = [
        Entry(
            "alert",
            f"alert:{alert.id}",
            {
                "what": what, "run": run, "use_case": alert.use_case, "check": alert.check,
                "column": alert.column, "group": alert.group, "severity": alert.severity,
                "period": str(alert.period),
            },
        )
        for what, alert in changes
    ]  # fmt: skip
    if entries or rows:
        book.write(connection, [*entries, *rows], now)


def enter_answer(
    connection: sa.Connection, alert: Alert, actor: str, rows: Sequence[Entry], now: datetime
) -> None:
    """Write into the ledger that someone acknowledged or closed an alert, without their words."""
    facts = {"what": alert.state, "use_case": alert.use_case, "check": alert.check}
    entry = Entry("acknowledge", f"alert:{alert.id}", facts, actor)
    book.write(connection, [entry, *rows], now)
