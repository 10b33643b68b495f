"""Rows of the event log as someone would put them there who passes the ledger by."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.database.engine import engine
from yupana.ledger import step_events
from yupana.ledger.step_events import EVENT_REFS, EVENTS


def add(settings: Settings, *events: dict[str, Any]) -> None:
    """Write events behind the last one, without the ledger."""
    with engine(settings.platform_db).begin() as connection:
        last = connection.scalar(sa.select(sa.func.max(EVENTS.c.seq))) or 0
        numbered = list(enumerate(events, last + 1))
        rows = [step_events.row(n, e, json.dumps(e, ensure_ascii=False)) for n, e in numbered]
        connection.execute(sa.insert(EVENTS), rows)
        if refs := [ref for n, e in numbered for ref in step_events.references(n, e)]:
            connection.execute(sa.insert(EVENT_REFS), refs)


def clear(settings: Settings) -> None:
    """Leave no event in the log; the ledger keeps its own."""
    with engine(settings.platform_db).begin() as connection:
        for table in (EVENTS, EVENT_REFS):
            connection.execute(sa.delete(table))
