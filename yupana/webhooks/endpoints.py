"""Where agencies want notices: added, listed and removed by an administrator.

The signing secret is a file in the home, `keys/webhooks/<id>.key`, its owner's alone, as all
secrets that must be used again: the database holds none.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core import private_file, usecase
from yupana.core.errors import UsageError
from yupana.database.engine import engine
from yupana.identity import actors, api_keys
from yupana.ledger import vouched, writer
from yupana.ledger.entries import Entry, write
from yupana.webhooks import address, signature
from yupana.webhooks.notice import ALERT, KINDS
from yupana.webhooks.tables import CANCELLED, NOTICES, WAITING, WEBHOOKS

EVERYTHING = ("*",)
_PATTERN = re.compile(r"[a-z0-9_.*-]{1,84}")


@dataclass(frozen=True)
class Webhook:
    """A row of `WEBHOOKS`; `removed` is None while notices go there."""

    id: str
    agency: str
    url: str
    topics: Sequence[str]
    created: datetime
    removed: datetime | None

    def takes(self, topic: str) -> bool:
        """Whether notices of a topic go there."""
        return any(fnmatchcase(topic, pattern) for pattern in self.topics)


def add(
    settings: Settings, agency: str, url: str, topics: Sequence[str], now: datetime
) -> tuple[str, str]:
    """Register an address; returns the webhook's id and its secret, which is not shown again.

    Raises:
        UsageError: no name of an agency, a topic that no notice has, or an address that notices
            may not go to.
    """
    host, _ = address.demand(url)
    address.demand_allowed(host, address.networks(settings.webhook_networks))
    if not api_keys.AGENCY.fullmatch(agency):
        raise UsageError(
            f"'{agency}' cannot be the name of an agency.",
            where="--agency",
            fix="Use up to 100 letters, digits, spaces and . , & ( ) ' -",
        )
    there_are = notice_topics()
    if strange := [pattern for pattern in topics if not _matches(pattern, there_are)]:
        raise UsageError(
            f"No notice has the topic '{strange[0]}'.",
            where="--topic",
            fix=f"Use some of: {', '.join(there_are)}; * stands for any part, as in '*.{ALERT}'.",
        )
    name, secret = secrets.token_hex(6), signature.new_secret()
    row = {"id": name, "agency": agency, "url": url, "topics": [*topics], "created": now}
    # The file first: an address without its secret could not be written to.
    private_file.replace(secret_file(settings, name), f"{secret}\n")
    with writer.transaction(settings, now) as connection:
        actor = actors.actor(connection, now)
        connection.execute(sa.insert(WEBHOOKS), row)
        rows = vouched.changes(connection, {WEBHOOKS: [(name,)]})
        facts = {"what": "webhook", "topics": [*topics]}
        write(connection, [Entry("key", f"webhook:{name}", facts, actor), *rows], now)
    return name, secret


def notice_topics() -> list[str]:
    """The topics that there are, of the use cases that are installed."""
    return [f"{name}.{kind}" for name in usecase.names() for kind in KINDS]


def _matches(pattern: str, topics: Sequence[str]) -> bool:
    plain = _PATTERN.fullmatch(pattern) is not None
    return plain and any(fnmatchcase(topic, pattern) for topic in topics)


def remove(settings: Settings, name: str, now: datetime) -> None:
    """End a webhook: what waits for it is cancelled, and its secret goes.

    Raises:
        UsageError: there is no such webhook, or it was removed already.
    """
    mine = (WEBHOOKS.c.id == name) & WEBHOOKS.c.removed.is_(None)
    waiting = (NOTICES.c.webhook == name) & (NOTICES.c.state == WAITING)
    with writer.transaction(settings, now) as connection:
        keys = list(connection.scalars(sa.select(NOTICES.c.id).where(waiting)))
        changes: vouched.Changes = {WEBHOOKS: [(name,)], NOTICES: [(key, name) for key in keys]}
        before = vouched.present(connection, changes)
        actor = actors.actor(connection, now)
        if not connection.execute(sa.update(WEBHOOKS).where(mine).values(removed=now)).rowcount:
            raise UsageError(
                f"There is no webhook '{name}' in use.",
                where="webhook",
                fix="`yupana webhooks list` shows them.",
            )
        connection.execute(sa.update(NOTICES).where(waiting).values(state=CANCELLED))
        rows = vouched.changes(connection, changes, before)
        entry = Entry("key", f"webhook:{name}", {"what": "webhook removed"}, actor)
        write(connection, [entry, *rows], now)
    secret_file(settings, name).unlink(missing_ok=True)


def listing(url: str, agency: str = "") -> list[Webhook]:
    """All webhooks there ever were, oldest first; of one agency, or of all."""
    query = sa.select(WEBHOOKS).order_by(WEBHOOKS.c.created, WEBHOOKS.c.id)
    if agency:
        query = query.where(WEBHOOKS.c.agency == agency)
    with engine(url).connect() as connection:
        return [Webhook(**row) for row in connection.execute(query).mappings()]


def in_use(connection: sa.Connection) -> list[Webhook]:
    """The webhooks that notices go to."""
    query = sa.select(WEBHOOKS).where(WEBHOOKS.c.removed.is_(None)).order_by(WEBHOOKS.c.id)
    return [Webhook(**row) for row in connection.execute(query).mappings()]


def secret_file(settings: Settings, name: str) -> Path:
    """Where a webhook's secret lies."""
    return settings.home / "keys" / "webhooks" / f"{name}.key"
