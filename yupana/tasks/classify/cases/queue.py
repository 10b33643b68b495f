"""The queue that clerks work through: filtered, in pages by the place of the last case shown."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from yupana.core.errors import UsageError
from yupana.database.engine import engine
from yupana.tasks.classify.cases import store
from yupana.tasks.classify.cases.case import OPEN, Case, Person, State
from yupana.tasks.classify.cases.tables import CASES

PAGE = 50


@dataclass(frozen=True)
class Filter:
    """Which cases; what is empty or None filters nothing.

    Attributes:
        states: default: those in which a person has to act.
    """

    states: Sequence[State] = OPEN
    priority: str = ""
    label: str = ""
    language: str = ""
    department: str = ""
    overdue: bool | None = None
    mine: str = ""


@dataclass(frozen=True)
class Page:
    """Some cases of the queue.

    Attributes:
        reports: by case, how many others are the same matter.
        after: where the next page begins; empty: this is the last one.
    """

    cases: Sequence[Case]
    reports: dict[str, int]
    after: str


def page(
    url: str, use_case: str, person: Person, wanted: Filter, now: datetime, after: str,
    most: int,
) -> Page:  # fmt: skip
    """The most urgent cases that a person may see, after those of an earlier page.

    Raises:
        UsageError: `after` is not of a page.
        TransientError: the platform database is away.
    """
    order = (CASES.c.rank, CASES.c.deadline, CASES.c.id)
    query = sa.select(*store.COLUMNS).where(_condition(use_case, person, wanted, now))
    if after:
        query = query.where(sa.tuple_(*order) > sa.tuple_(*_place(after)))
    with store.reached(url), engine(url).connect() as connection:
        cases = store.cases(connection, query.order_by(*order).limit(most + 1))
        shown = cases[:most]
        reports = store.duplicates(connection, [case.id for case in shown])
    return Page(shown, reports, _after(shown[-1]) if len(cases) > most else "")


def _condition(
    use_case: str, person: Person, wanted: Filter, now: datetime
) -> sa.ColumnElement[bool]:
    c = CASES.c
    condition = (c.use_case == use_case) & c.state.in_(wanted.states)
    if person.departments is not None:
        condition &= c.department.in_(person.departments)
    for column, value in (
        (c.priority, wanted.priority), (c.label, wanted.label), (c.language, wanted.language),
        (c.department, wanted.department), (c.taken_by, wanted.mine),
    ):  # fmt: skip
        if value:
            condition &= column == value
    if wanted.overdue is not None:
        condition &= (c.deadline < now) if wanted.overdue else (c.deadline >= now)
    return condition


def _after(case: Case) -> str:
    place = [case.rank, case.deadline.isoformat(), case.id]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _place(after: str) -> tuple[sa.ColumnElement[object], ...]:
    try:
        rank, deadline, name = json.loads(base64.urlsafe_b64decode(after.encode()))
        moment = datetime.fromisoformat(deadline).astimezone(UTC)
        values = (int(rank), moment, str(name))
    except (binascii.Error, ValueError, TypeError) as error:
        raise UsageError(
            "'after' no es de una página. / 'after' is not of a page.",
            where="after",
            fix="Envíe el de la página anterior, o ninguno. / Send the one of the page before, or "
            "none.",
        ) from error
    columns = (CASES.c.rank, CASES.c.deadline, CASES.c.id)
    return tuple(sa.literal(v, c.type) for v, c in zip(values, columns, strict=True))
