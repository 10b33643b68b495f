"""Records of the prediction log against the events that sealed them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from yupana.ledger.fault import Fault
from yupana.predictions.digest import digest
from yupana.predictions.prediction_log import CLOCK_SECONDS, RECORDS

GROUP, ARCHIVE = "predictions", "archive"
_CHUNK = 5_000
_TIME = 1
_COLUMNS = [RECORDS.c.seq, *(column for column in RECORDS.columns if column.name != "seq")]
_Row = Sequence[Any]


def group_faults(seq: int, time: str, facts: dict[str, Any], rows: list[_Row]) -> list[Fault]:
    """What is wrong with a group of records, if anything.

    Args:
        seq: the number of the event that sealed it.
        time: of that event.
        facts: what it holds; `digest` is the version of its hash, 1 where it has none.
        rows: the records with the numbers of the group, each with its number first.
    """
    first, last = facts["rows"]
    lack = facts["n"] - len(rows)
    if lack > 0:
        present = {row[0] for row in rows}
        missing = [str(n) for n in range(first, last + 1) if n not in present]
        some = ", ".join(missing[:5]) + ("…" if len(missing) > 5 else "")
        message = f"{lack} of the group's {facts['n']} answers are gone, and no event says so"
        return [Fault(seq, "deleted", RECORDS.name, some, message)]
    if not _agree([list(row[1:]) for row in rows], facts):
        message = f"an answer among rows {first} to {last} is not as it was sealed"
        return [Fault(seq, "changed", RECORDS.name, f"{first}-{last}", message)]
    sealed = datetime.fromisoformat(time).timestamp()
    times = [row[1 + _TIME] for row in rows]
    early = not facts.get("late") and sealed - min(times) > CLOCK_SECONDS
    # From before each event said whether its answers had waited, only the future is a fault.
    if (early and facts.get("digest", 1) > 2) or max(times) - sealed > CLOCK_SECONDS:
        message = (
            f"answers have another time than the event that sealed them ({time}), by more than "
            f"{CLOCK_SECONDS // 60} minutes: this machine's clock was set"
        )
        return [Fault(seq, "clock", RECORDS.name, f"{first}-{last}", message)]
    return []


def _agree(rows: list[list[Any]], facts: dict[str, Any]) -> bool:
    try:
        return bool(digest(rows, facts.get("digest", 1)) == facts["sha256"])
    except (KeyError, TypeError, ValueError):
        # Parameters that are not those of the group's shape: not as they were sealed.
        return False


def records(connection: sa.Connection, first: int = 0, last: int = 0) -> Iterator[_Row]:
    """The records by number, each with its number first; all, or some."""
    query = sa.select(*(sa.type_coerce(c, sa.types.NullType()) for c in _COLUMNS))
    if last:
        query = query.where(RECORDS.c.seq.between(first, last))
    options = {} if last else {"yield_per": _CHUNK}
    yield from connection.execute(query.order_by(RECORDS.c.seq), execution_options=options)


class AnswerCheck:
    """Compares each group of answers with its event, and finds answers of no group.

    Groups that moved to the lake are accounted for by an `archive` event.

    Args:
        connection: a snapshot of the platform database (`entries.snapshot`).
    """

    kinds = (GROUP, ARCHIVE)

    def __init__(self, connection: sa.Connection) -> None:
        self._rows = records(connection)
        self._next: _Row | None = next(self._rows, None)
        self._end = 0
        # Groups that are not there, or not whole: in a database of its own, which may grow.
        self._gone = sqlite3.connect("")
        self._gone.execute("CREATE TABLE gone (use_case, first, last, n, there, event, fault)")
        self._gone.execute("CREATE INDEX gone_by ON gone (use_case, last)")

    def event(self, seq: int, kind: str, line: bytes) -> list[Fault]:
        event = json.loads(line)
        facts = event["facts"]
        if kind == ARCHIVE:
            return self._archived(seq, event["subject"], facts)
        first, last = facts["rows"]
        faults = self._forged(first)
        rows = self._until(last)
        self._end = max(self._end, last)
        if len(rows) < facts["n"]:
            fault = json.dumps(vars(group_faults(seq, event["time"], facts, rows)[0]))
            group = (event["subject"], first, last, facts["n"], len(rows), seq, fault)
            self._gone.execute("INSERT INTO gone VALUES (?, ?, ?, ?, ?, ?, ?)", group)
            return faults
        return faults + group_faults(seq, event["time"], facts, rows)

    def _archived(self, seq: int, use_case: str, facts: dict[str, Any]) -> list[Fault]:
        first, last = facts["rows"]
        mine = "use_case = ? AND first >= ? AND last <= ?"
        # What moved before there were such events may be gone in part.
        whole = "" if facts.get("before") else " AND there = 0"
        groups = f"FROM gone WHERE {mine}{whole}"
        (n,) = self._gone.execute(
            f"SELECT coalesce(sum(n), 0) {groups}", (use_case, first, last)
        ).fetchone()
        self._gone.execute(f"DELETE {groups}", (use_case, first, last))
        if facts.get("before") or n == facts["n"]:
            return []
        message = f"{facts['n']} answers moved to the lake, and {n} are gone"
        what = "inserted" if n < facts["n"] else "deleted"
        return [Fault(seq, what, RECORDS.name, f"{first}-{last}", message)]

    def _forged(self, until: int) -> list[Fault]:
        """Answers before a number that no group has."""
        faults = []
        while self._next is not None and (until == 0 or self._next[0] < until):
            key = str(self._next[0])
            faults.append(Fault(0, "inserted", RECORDS.name, key, "no event sealed this answer"))
            self._next = next(self._rows, None)
        return faults

    def _until(self, last: int) -> list[_Row]:
        rows = []
        while self._next is not None and self._next[0] <= last:
            rows.append(self._next)
            self._next = next(self._rows, None)
        return rows

    def finish(self, last: int) -> list[Fault]:
        faults = [
            Fault(**json.loads(fault))
            for (fault,) in self._gone.execute("SELECT fault FROM gone ORDER BY event")
        ]
        self._gone.close()
        return faults + self._forged(0)
