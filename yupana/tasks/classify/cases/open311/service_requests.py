"""Cases as service requests: what everybody may read of them, which is no text of a citizen unless
the agency's routing says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from yupana.database.engine import engine
from yupana.tasks.classify.cases import store, words
from yupana.tasks.classify.cases.case import ANSWERED, CLOSED, MERGED, Case
from yupana.tasks.classify.cases.rules import Routing
from yupana.tasks.classify.cases.tables import CASE_EVENTS, CASES

MOST, SPAN = 1_000, timedelta(days=90)
"""What the specification asks of a server: no more requests, nor days, in one answer."""

DONE = (ANSWERED, CLOSED, MERGED)
UNKNOWN = "sin_clasificar"
"""The service code of what has no label yet."""


@dataclass(frozen=True)
class Wanted:
    """Which requests; what is empty or None filters nothing, but for the span of days."""

    ids: Sequence[str] = ()
    services: Sequence[str] = ()
    statuses: Sequence[str] = ()
    start: datetime | None = None
    end: datetime | None = None


def services(routing: Routing) -> list[dict[str, Any]]:
    """The labels, as services without further attributes."""
    return [
        {
            "service_code": code, "service_name": rule.es, "description": f"{rule.es} / {rule.en}",
            "metadata": False, "type": "realtime", "keywords": "",
            "group": _name(rule.department, routing),
        }
        for code, rule in routing.labels.items()
    ]  # fmt: skip


def find(
    url: str, use_case: str, routing: Routing, wanted: Wanted, now: datetime
) -> list[dict[str, Any]]:
    """The newest requests that are wanted.

    Raises:
        TransientError: the platform database is away.
    """
    newest = CASES.c.received.desc(), CASES.c.id.desc()
    query = sa.select(*store.COLUMNS).where(_condition(use_case, wanted, now))
    with store.reached(url), engine(url).connect() as connection:
        cases = store.cases(connection, query.order_by(*newest).limit(MOST))
        changed = _changed(connection, [case.id for case in cases])
    return [shown(case, changed.get(case.id, case.received), routing) for case in cases]


def shown(case: Case, changed: datetime, routing: Routing) -> dict[str, Any]:
    """A case as everybody sees it."""
    rule = routing.labels.get(case.label)
    state = words.state(case.state)
    public = routing.public_listing
    place = case.place if public else {}
    return {
        "service_request_id": case.id,
        "status": "closed" if case.state in DONE else "open",
        "status_notes": f"{state.es} / {state.en}",
        "service_name": rule.es if rule else "Por clasificar / to be classified",
        "service_code": case.label if rule else UNKNOWN,
        "description": case.text if public else None,
        "agency_responsible": _name(case.department, routing),
        "service_notice": None,
        "requested_datetime": _moment(case.received),
        "updated_datetime": _moment(changed),
        "expected_datetime": _moment(case.deadline),
        "address": place.get("address"),
        "address_id": None,
        "zipcode": None,
        "lat": place.get("lat"),
        "long": place.get("long"),
        "media_url": None,
    }


def _condition(use_case: str, wanted: Wanted, now: datetime) -> sa.ColumnElement[bool]:
    c = CASES.c
    condition = c.use_case == use_case
    if wanted.ids:
        return condition & c.id.in_(wanted.ids)
    end = wanted.end or (wanted.start + SPAN if wanted.start else now)
    start = max(wanted.start or end - SPAN, end - SPAN)
    condition &= (c.received >= start) & (c.received <= end)
    if wanted.services:
        condition &= c.label.in_(wanted.services)
    if len({*wanted.statuses}) == 1:
        closed = c.state.in_(DONE)
        condition &= closed if "closed" in wanted.statuses else ~closed
    return condition


def _changed(connection: sa.Connection, names: list[str]) -> dict[str, datetime]:
    c = CASE_EVENTS.c
    query = sa.select(c.case_id, sa.func.max(c.time, type_=c.time.type))
    rows = connection.execute(query.where(c.case_id.in_(names)).group_by(c.case_id))
    return {str(row[0]): row[1] for row in rows}


def _name(code: str, routing: Routing) -> str:
    department = routing.department(code)
    return department.es if department else code


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
