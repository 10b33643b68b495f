"""Answers leave the database once they are in the lake: by whole groups, with an event of each.

A group is what one event of the ledger sealed; what is gone without an event is found missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, TransientError
from yupana.database.engine import engine
from yupana.ledger import entries, witness
from yupana.ledger.entries import Entry
from yupana.predictions import digest, ledger_check
from yupana.predictions.export import exported
from yupana.predictions.prediction_log import PREDICTIONS, RECORDS

_ROWS, _GROUPS = 10_000, 200
"""Records and groups that leave together: the service writes in between."""


def forget(settings: Settings, use_case: str, before: datetime) -> int:
    """Remove records from the database that are in the lake; predictions stay.

    Whole groups go, oldest first, with an event that says which: what is gone without one is
    found by `yupana audit verify`.

    Args:
        before: groups with a record from this moment on stay (with its time zone).

    Returns:
        How many were removed.

    Raises:
        TerminalError: a group is not as it was sealed; it stays, and those after it.
        TransientError: another run removes the same ones.
    """
    url, moment = settings.platform_db, before.timestamp()
    removed = _remnants(url, use_case, moment)
    for groups in _old_groups(url, use_case, exported(settings, use_case), moment):
        first, last = groups[0].facts["rows"][0], groups[-1].facts["rows"][1]
        n = sum(group.facts["n"] for group in groups)
        facts = {"rows": [first, last], "n": n, "events": [groups[0].seq, groups[-1].seq]}
        facts["sha256"] = digest.root([group.facts["sha256"] for group in groups])
        mine = sa.or_(*(RECORDS.c.seq.between(*group.facts["rows"]) for group in groups))
        with engine(url).begin() as connection:
            if connection.execute(sa.delete(RECORDS).where(mine)).rowcount != n:
                raise TransientError(
                    "Another run removes the same answers.", where="prediction log",
                    fix="Run it again.",
                )  # fmt: skip
            entries.write(connection, [Entry("archive", use_case, facts)], datetime.now(UTC))
        removed += n
    if removed:
        witness.leave(settings)
    return removed


def _remnants(url: str, use_case: str, before: float) -> int:
    """Remove what is left of groups that had begun to leave before there were such events."""
    events = entries.read(url, kind="archive", subject=use_case)
    last = max((e.facts["rows"][1] for e in events if e.facts.get("before")), default=0)
    if not last:
        return 0
    ours = sa.select(PREDICTIONS.c.key).where(PREDICTIONS.c.use_case == use_case)
    old = (RECORDS.c.seq <= last) & (RECORDS.c.time < before)
    with engine(url).begin() as connection:
        statement = sa.delete(RECORDS).where(old, RECORDS.c.prediction_key.in_(ours))
        return connection.execute(statement).rowcount


def _old_groups(
    url: str, use_case: str, through: int, before: float
) -> Iterator[list[entries.Sealed]]:
    """Whole groups of a use case that are in the lake and older than a moment, some at a time."""
    past = entries.newest(url, "archive", use_case)
    start = past.facts["rows"][1] if past else 0
    since = past.facts.get("events", [0, 0])[1] if past else 0
    page: list[entries.Sealed] = []
    rows = 0
    for group in entries.read(url, kind="predictions", subject=use_case, since=since):
        first, last = group.facts["rows"]
        if last <= start:
            continue
        with engine(url).connect() as connection:
            records = list(ledger_check.records(connection, first, last))
        if last > through or any(record[2] >= before for record in records):
            break
        faults = ledger_check.group_faults(group.seq, group.time, group.facts, records)
        # Their time is no reason to stay.
        if faults := [fault for fault in faults if fault.what != "clock"]:
            raise TerminalError(
                f"Answers are not as they were sealed: {faults[0]}.",
                where=f"prediction log of {use_case}",
                fix="They stay. Run `yupana audit verify`, and find out who changed them.",
            )
        page.append(group)
        rows += len(records)
        # Some at a time: the service writes in between.
        if rows >= _ROWS or len(page) >= _GROUPS:
            yield page
            page, rows = [], 0
    if page:
        yield page
