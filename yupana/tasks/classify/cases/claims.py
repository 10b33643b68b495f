"""Which router works on which cases: a claim that ends by itself, so that nothing waits for one
that was killed."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from yupana.database.engine import engine
from yupana.tasks.classify.cases import store
from yupana.tasks.classify.cases.case import RECEIVED, Case
from yupana.tasks.classify.cases.tables import CASES

CLAIM = timedelta(seconds=60)
"""How long a router has for a batch; after it another takes the batch over, and one of both is
told that it came too late."""


def claim(
    url: str, use_case: str, router: str, now: datetime, most: int, length: timedelta = CLAIM
) -> list[Case]:
    """Take the oldest cases that no router works on, for a while.

    Raises:
        TransientError: the platform database is away.
    """
    free = CASES.c.claimed_until.is_(None) | (CASES.c.claimed_until <= now)
    waiting = (CASES.c.use_case == use_case) & (CASES.c.state == RECEIVED) & free
    oldest = sa.select(CASES.c.id).where(waiting).order_by(CASES.c.received, CASES.c.id)
    # Who finds a row locked takes another one; PostgreSQL looks at the condition once more.
    oldest = oldest.limit(most).with_for_update(skip_locked=True)
    take = sa.update(CASES).where(CASES.c.id.in_(oldest), waiting)
    take = take.values(claimed_by=router, claimed_until=now + length)
    with store.reached(url), engine(url, durable=False).begin() as connection:
        connection.execute(take)
        mine = (CASES.c.claimed_by == router) & (CASES.c.claimed_until == now + length)
        query = sa.select(*store.COLUMNS).where(waiting_of(use_case) & mine)
        return store.cases(connection, query.order_by(CASES.c.received, CASES.c.id))


def waiting_of(use_case: str) -> sa.ColumnElement[bool]:
    """The cases that no router has decided on."""
    return (CASES.c.use_case == use_case) & (CASES.c.state == RECEIVED)
