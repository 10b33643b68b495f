"""Notices that wait: put there in the transaction of the step that tells them, tried until they
are delivered or too old."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.database.engine import engine
from yupana.ledger import vouched, writer
from yupana.ledger.entries import Entry, write
from yupana.webhooks import endpoints
from yupana.webhooks.endpoints import Webhook
from yupana.webhooks.notice import Notice
from yupana.webhooks.tables import DELIVERED, FAILED, NOTICES, WAITING, WEBHOOKS

FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=5), timedelta(hours=12)
"""Between two tries; it doubles, half of it by chance."""

GIVE_UP = timedelta(days=3)
"""After which a notice that nobody took is tried no more."""

TEST = "yupana.test"
_AT_ONCE = 500
Key = tuple[str, str]
"""Of a row: the notice's id, and the webhook's."""


@dataclass(frozen=True)
class Delivery:
    """A notice to a webhook, and what became of it: a row of `NOTICES` and the address."""

    id: str
    webhook: str
    topic: str
    body: str
    created: datetime
    state: str
    tries: int
    error: str
    due: datetime
    url: str

    @property
    def key(self) -> Key:
        return self.id, self.webhook


def put(
    connection: sa.Connection, notices: Sequence[Notice], event: str, now: datetime
) -> list[Entry]:
    """Put notices aside for all webhooks that take them, in the transaction of a step's event.

    Args:
        event: id of the step's event, by which a receiver knows a repeat.

    Returns:
        The ledger's entries on the rows, which the caller writes.
    """
    hooks = endpoints.in_use(connection) if notices else []
    rows = [
        _row(f"{event}-{notice.kind}", hook, notice.topic, notice.data, now)
        for notice in notices for hook in hooks
        if hook.takes(notice.topic) and notice.agency in ("", hook.agency)
    ]  # fmt: skip
    return _insert(connection, rows)


def put_test(settings: Settings, webhook: str, now: datetime) -> Key:
    """Put a notice aside that says nothing, for one webhook.

    Raises:
        UsageError: there is no such webhook in use.
    """
    with writer.transaction(settings, now) as connection:
        hook = next((h for h in endpoints.in_use(connection) if h.id == webhook), None)
        if hook is None:
            raise UsageError(
                f"There is no webhook '{webhook}' in use.",
                where="webhook",
                fix="`yupana webhooks list` shows them.",
            )
        row = _row(f"test-{now:%Y%m%d%H%M%S%f}", hook, TEST, {}, now)
        write(connection, _insert(connection, [row]), now)
    return str(row["id"]), webhook


def due(url: str, now: datetime, webhook: str = "") -> list[Delivery]:
    """What is to be tried, oldest first; of one webhook, or of all."""
    wanted = (NOTICES.c.state == WAITING) & (NOTICES.c.due <= now)
    if webhook:
        wanted = wanted & (NOTICES.c.webhook == webhook)
    return _deliveries(url, wanted, NOTICES.c.created, _AT_ONCE)


def listing(url: str, webhook: str = "", state: str = "", most: int = 100) -> list[Delivery]:
    """The newest notices with what became of them, newest first."""
    wanted: sa.ColumnElement[bool] = sa.true()
    if webhook:
        wanted = wanted & (NOTICES.c.webhook == webhook)
    if state:
        wanted = wanted & (NOTICES.c.state == state)
    return _deliveries(url, wanted, NOTICES.c.created.desc(), most)


def mark(
    settings: Settings, errors: Mapping[Key, str], attempts: Sequence[Delivery], now: datetime
) -> None:
    """Keep how a try of each went.

    Args:
        errors: by key, why it was not taken; empty where it was.
    """
    keys = [attempt.key for attempt in attempts]
    if not keys:
        return
    with writer.transaction(settings, now) as connection:
        before = vouched.present(connection, {NOTICES: keys})
        for attempt in attempts:
            mine = (NOTICES.c.id == attempt.id) & (NOTICES.c.webhook == attempt.webhook)
            change = after(attempt, errors[attempt.key], now)
            # One that was cancelled meanwhile stays so.
            still = mine & (NOTICES.c.state == WAITING)
            connection.execute(sa.update(NOTICES).where(still).values(**change))
        write(connection, vouched.changes(connection, {NOTICES: keys}, before), now)


def forget(settings: Settings, before: datetime, now: datetime, *, dry_run: bool = False) -> int:
    """Remove notices that are waited for no more and were tried last before a moment.

    Returns:
        How many were removed or, in a dry run, would be.
    """
    old = (NOTICES.c.state != WAITING) & (NOTICES.c.due < before)
    query = sa.select(NOTICES.c.id, NOTICES.c.webhook).where(old)
    with engine(settings.platform_db).connect() as connection:
        keys = [(row.id, row.webhook) for row in connection.execute(query)]
    # Some at a time: services and steps write in between.
    for start in range(0, 0 if dry_run else len(keys), _AT_ONCE):
        some = keys[start : start + _AT_ONCE]
        with writer.transaction(settings, now) as connection:
            # One that was tampered with before stays told: the event says what it was.
            digests = vouched.present(connection, {NOTICES: some})
            mine = sa.tuple_(NOTICES.c.id, NOTICES.c.webhook).in_(some)
            connection.execute(sa.delete(NOTICES).where(mine))
            write(connection, vouched.changes(connection, {NOTICES: some}, digests), now)
    return len(keys)


def after(attempt: Delivery, error: str, now: datetime) -> dict[str, Any]:
    """The columns of a notice after a try."""
    tries = attempt.tries + 1
    facts: dict[str, Any] = {"tries": tries, "error": error, "due": now}
    if not error:
        return {**facts, "state": DELIVERED}
    if now - attempt.created >= GIVE_UP:
        return {**facts, "state": FAILED}
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(tries - 1, 16))
    # By chance, so that many that failed together are not tried together; the same when repeated.
    share = Random(f"{attempt.id} {attempt.webhook} {tries}").uniform(0.5, 1.0)
    return {**facts, "due": now + wait * share}


def _row(
    name: str, hook: Webhook, topic: str, data: dict[str, Any], now: datetime
) -> dict[str, Any]:
    moment = now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    body = {"type": topic, "timestamp": moment, "data": data}
    return {
        "id": name, "webhook": hook.id, "topic": topic, "created": now, "state": WAITING,
        "body": json.dumps(body, ensure_ascii=False, sort_keys=True), "tries": 0, "error": "",
        "due": now,
    }  # fmt: skip


def _insert(connection: sa.Connection, rows: list[dict[str, Any]]) -> list[Entry]:
    if not rows:
        return []
    connection.execute(sa.insert(NOTICES), rows)
    return vouched.changes(connection, {NOTICES: [(row["id"], row["webhook"]) for row in rows]})


def _deliveries(url: str, wanted: Any, order: Any, most: int) -> list[Delivery]:
    query = (
        sa.select(NOTICES, WEBHOOKS.c.url)
        .join_from(NOTICES, WEBHOOKS, NOTICES.c.webhook == WEBHOOKS.c.id)
        .where(wanted)
        .order_by(order, NOTICES.c.id)
        .limit(most)
    )
    with engine(url).connect() as connection:
        return [Delivery(**row) for row in connection.execute(query).mappings()]
