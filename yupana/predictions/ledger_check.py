"""Records of the prediction log against the events that sealed them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from yupana.ledger.fault import Fault, Ground
from yupana.predictions.digest import digest
from yupana.predictions.prediction_log import CLOCK_SECONDS, RECORDS

GROUP, ARCHIVE = "predictions", "archive"
_CHUNK = 5_000
_TIME = 1
_COLUMNS = [RECORDS.c.seq, *(column for column in RECORDS.columns if column.name != "seq")]
_Row = Sequence[Any]
_TABLES = """
CREATE TABLE IF NOT EXISTS answer_groups (use_case, first, last, n, there, event, fault);
CREATE INDEX IF NOT EXISTS answer_groups_by ON answer_groups (use_case, last);
CREATE TABLE IF NOT EXISTS answers (last, n, event);
"""


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


def records(
    connection: sa.Connection, first: int | None = None, last: int = 0
) -> Iterator[_Row]:
    """The records by number, each with its number first; all, from a number on, or some."""
    query = sa.select(*(sa.type_coerce(c, sa.types.NullType()) for c in _COLUMNS))
    if first is not None:
        query = query.where(RECORDS.c.seq >= first)
    if last:
        query = query.where(RECORDS.c.seq <= last)
    options = {} if last else {"yield_per": _CHUNK}
    yield from connection.execute(query.order_by(RECORDS.c.seq), execution_options=options)


class AnswerCheck:
    """Compares each group of answers with its event, and finds answers of no group.

    Groups that moved to the lake are accounted for by an `archive` event. Of answers that an
    earlier check read, the replay has the groups: those are counted, and not read again.
    """

    kinds = (GROUP, ARCHIVE)

    def __init__(self, ground: Ground) -> None:
        self._connection, self._replay = ground.connection, ground.replay
        self._replay.executescript(_TABLES)
        before = self._replay.execute("SELECT * FROM answers").fetchone()
        self._last, self._n, self._event = map(int, before or (0, 0, 0))
        self._in_groups = self._sum()
        self._end, self._read = self._last, 0
        self._rows = records(self._connection, self._last + 1 if before else None)
        self._next: _Row | None = next(self._rows, None)

    def event(self, seq: int, kind: str, line: bytes) -> list[Fault]:
        event = json.loads(line)
        facts = event["facts"]
        if kind == ARCHIVE:
            return self._archived(seq, event["subject"], facts)
        first, last = facts["rows"]
        faults = self._forged(first)
        rows = self._until(last)
        self._end = max(self._end, last)
        own, fault = group_faults(seq, event["time"], facts, rows), None
        if len(rows) < facts["n"]:
            # Whether they may be gone, an event further on says.
            fault, own = json.dumps(vars(own[0])), []
        group = (event["subject"], first, last, facts["n"], len(rows), seq, fault)
        self._replay.execute("INSERT INTO answer_groups VALUES (?, ?, ?, ?, ?, ?, ?)", group)
        return faults + own

    def _archived(self, seq: int, use_case: str, facts: dict[str, Any]) -> list[Fault]:
        first, last = facts["rows"]
        # What moved before there were such events may be gone in part. Groups of an earlier check
        # are taken for gone: the count at the end says so.
        gone = "there < n" if facts.get("before") else "(there = 0 OR event <= ?)"
        values = (use_case, first, last, *(() if facts.get("before") else (self._event,)))
        mine = f"use_case = ? AND first >= ? AND last <= ? AND {gone}"
        n = self._sum(mine, values)
        self._replay.execute(f"DELETE FROM answer_groups WHERE {mine}", values)
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
        self._read += len(rows)
        return rows

    def _sum(self, condition: str = "1", values: Sequence[Any] = ()) -> int:
        query = f"SELECT coalesce(sum(n), 0) FROM answer_groups WHERE {condition}"
        return int(self._replay.execute(query, values).fetchone()[0])

    def finish(self, last: int) -> list[Fault]:
        query = "SELECT fault FROM answer_groups WHERE fault IS NOT NULL ORDER BY event"
        faults = [Fault(**json.loads(fault)) for (fault,) in self._replay.execute(query)]
        faults += self._forged(0)
        n = self._read
        if self._event:
            moved = self._in_groups - self._sum("event <= ?", [self._event])
            n += self._n - moved
            faults += self._counted(self._n - moved)
        self._replay.execute("DELETE FROM answers")
        self._replay.execute("INSERT INTO answers VALUES (?, ?, ?)", (self._end, n, last))
        return faults

    def _counted(self, due: int) -> list[Fault]:
        """Whether as many answers are there of those that an earlier check read."""
        query = sa.select(sa.func.count()).where(RECORDS.c.seq <= self._last)
        n = self._connection.scalar(query) or 0
        if n == due:
            return []
        message = f"{n:,} answers are there where an earlier check saw {due:,}"
        what = "deleted" if n < due else "inserted"
        return [Fault(0, what, RECORDS.name, f"1-{self._last}", message)]
