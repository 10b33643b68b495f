"""Cases in the platform database: read, and changed with their history and the ledger at once.

A change is one transaction: the case, one event of its history, and the ledger's word on both rows.
A case's version is the number of its events, so that of two who change it at once one is refused,
by the version that it read and, whatever happens, by the index over case and number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from yupana.core.errors import TransientError
from yupana.database.away import away
from yupana.database.engine import engine
from yupana.ledger import entries, pseudonyms, vouched
from yupana.ledger.entries import Entry
from yupana.predictions.prediction_log import new_id
from yupana.tasks.classify.cases.case import Case, CaseEvent, Person
from yupana.tasks.classify.cases.tables import CASE_EVENTS, CASES

COLUMNS = [CASES.c[f.name] for f in fields(Case)]


@dataclass
class Change:
    """A transaction over cases; what it touches is told to the ledger at its end."""

    connection: sa.Connection
    now: datetime
    rows: dict[sa.Table, list[tuple[str]]] = field(default_factory=dict)
    before: vouched.Digests = field(default_factory=dict)
    decisions: list[Entry] = field(default_factory=list)

    def insert(self, table: sa.Table, row: Mapping[str, Any]) -> str:
        """Add a row, whose id is made where it has none."""
        key = str(row.get("id") or new_id(self.now.timestamp()))
        self.connection.execute(sa.insert(table).values({**row, "id": key}))
        self.rows.setdefault(table, []).append((key,))
        return key

    def update(self, case_id: str, version: int, **values: Any) -> bool:
        """Change a case that still has the version that was read; whether it had."""
        self.before.update(vouched.present(self.connection, {CASES: [(case_id,)]}))
        mine = (CASES.c.id == case_id) & (CASES.c.version == version)
        statement = sa.update(CASES).where(mine).values(**values, version=version + 1)
        if not self.connection.execute(statement).rowcount:
            return False
        self.rows.setdefault(CASES, []).append((case_id,))
        return True

    def event(
        self, case_id: str, number: int, what: str, *, by: str = "", reason: str = "",
        facts: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Add to a case's history."""
        row = {"case_id": case_id, "number": number, "time": self.now, "what": what, "by": by,
               "reason": reason, "facts": dict(facts or {})}  # fmt: skip
        self.insert(CASE_EVENTS, row)

    def decide(self, case: Case, what: str, actor: str, **facts: Any) -> None:
        """Tell the ledger what a person did with a case."""
        whole = {"what": what, "use_case": case.use_case, "department": case.department, **facts}
        self.decisions.append(Entry("case", f"case:{case.id}", whole, actor))

    def actor(self, person: Person) -> str:
        """The pseudonym of who acts."""
        return pseudonyms.of(self.connection, person.account, self.now)


@contextmanager
def change(url: str, now: datetime) -> Iterator[Change]:
    """A transaction over cases, in which no one else appends to the ledger.

    Raises:
        TransientError: the platform database is away; nothing was changed.
    """
    with reached(url), engine(url).begin() as connection:
        vouched.lock(connection)
        made = Change(connection, now)
        yield made
        rows = vouched.changes(connection, made.rows, made.before)
        entries.write(connection, [*made.decisions, *rows], now)


@contextmanager
def reached(url: str) -> Iterator[None]:
    """Meanwhile a database that does not answer is worth a retry.

    Raises:
        TransientError: it does not.
    """
    try:
        yield
    except sa.exc.OperationalError as error:
        raise _away(url, error.orig) from error


def _away(url: str, error: object) -> TransientError:
    fix = "Start it, and send this again: what has no receipt was not taken."
    return away("Cases cannot be kept now", error, url=url, where="platform database", fix=fix)


def cases(connection: sa.Connection, query: sa.Select[Any]) -> list[Case]:
    """The cases of a query over `COLUMNS`."""
    return [Case(**row) for row in connection.execute(query).mappings()]


def case(connection: sa.Connection, use_case: str, case_id: str) -> Case | None:
    """A case by its id."""
    mine = (CASES.c.use_case == use_case) & (CASES.c.id == case_id)
    return next(iter(cases(connection, sa.select(*COLUMNS).where(mine))), None)


def history(connection: sa.Connection, case_id: str) -> list[CaseEvent]:
    """What happened to a case, oldest first."""
    columns = [CASE_EVENTS.c[f.name] for f in fields(CaseEvent)]
    query = sa.select(*columns).where(CASE_EVENTS.c.case_id == case_id)
    rows = connection.execute(query.order_by(CASE_EVENTS.c.number)).mappings()
    return [CaseEvent(**row) for row in rows]


def duplicates(connection: sa.Connection, case_ids: Iterable[str]) -> dict[str, int]:
    """How many cases are the same as each."""
    first = CASES.c.duplicate_of
    query = sa.select(first, sa.func.count()).where(first.in_(list(case_ids))).group_by(first)
    return {str(name): int(number) for name, number in connection.execute(query)}


def by_receipts(url: str, use_case: str, receipts: Sequence[str]) -> list[Case]:
    """Cases in the order of their receipts."""
    mine = (CASES.c.use_case == use_case) & CASES.c.receipt.in_(receipts)
    with engine(url).connect() as connection:
        rows = {one.receipt: one for one in cases(connection, sa.select(*COLUMNS).where(mine))}
    return [rows[receipt] for receipt in receipts]
