"""Statistics of use: requests with a good key, counted in memory and written by a thread.

A row is a day, key, address, status and class of latency, with how many requests there were: what
a busy service writes twice a second is some dozens of rows, and no table grows with each request.
They are statistics: a killed process loses the last second of them. What was answered is in the
prediction log, which waits for the disk.
"""

from __future__ import annotations

import atexit
import logging
import math
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from yupana.database.engine import TABLES, engine
from yupana.identity import activity, api_keys, roles
from yupana.ledger import entries, vouched
from yupana.predictions import usage_days

_LOG = logging.getLogger(__name__)
FLUSH_SECONDS = 0.5
MOST_WAITING = 200_000
"""Rows kept while the database is away; requests that would make more are counted as lost."""

CLASS = 1.05
"""Latencies of one class differ by this factor at most, so percentiles are told within 5 %."""

FASTEST_MS = 0.01

REQUESTS = sa.Table(
    "request_counts",
    TABLES,
    sa.Column("day", sa.String(10), primary_key=True),
    sa.Column("key_id", sa.String(12), primary_key=True),
    sa.Column("agency", sa.String(100), primary_key=True),
    sa.Column("model", sa.String(128), primary_key=True),
    sa.Column("scope", sa.String(64), primary_key=True),
    sa.Column("status", sa.Integer, primary_key=True),
    sa.Column("latency", sa.Integer, primary_key=True),
    sa.Column("n", sa.BigInteger, nullable=False),
)
ENTITIES = sa.Table(
    "entity_counts",
    TABLES,
    sa.Column("day", sa.String(10), primary_key=True),
    sa.Column("agency", sa.String(100), primary_key=True),
    sa.Column("model", sa.String(128), primary_key=True),
    sa.Column("entity", sa.Text, primary_key=True),
    sa.Column("n", sa.BigInteger, nullable=False),
)


def _increment(table: sa.Table) -> sa.TextClause:
    """Adds to the row of a key, or makes it; the same words for SQLite and PostgreSQL."""
    key = ", ".join(c.name for c in table.primary_key)
    values = ", ".join(f":{c.name}" for c in table.primary_key)
    return sa.text(
        f"INSERT INTO {table.name} ({key}, n) VALUES ({values}, :n) "
        f"ON CONFLICT ({key}) DO UPDATE SET n = {table.name}.n + :n"
    )


_COUNT_REQUESTS, _COUNT_ENTITIES = _increment(REQUESTS), _increment(ENTITIES)


def latency_class(milliseconds: float) -> int:
    """The class of a latency; `latency` gives its upper end."""
    return math.ceil(math.log(max(milliseconds, FASTEST_MS) / FASTEST_MS, CLASS) - 1e-9)


def latency(number: int) -> float:
    """The longest milliseconds of a class."""
    return round(FASTEST_MS * CLASS**number, 3)


@dataclass
class Caller:
    """Who asks, for the service to read; and what it answered with, for it to write.

    The service sets `model` (such as NAME@3) and `entities` (what it was asked about); both are
    counted.
    """

    key_id: str = ""
    agency: str = ""
    role: str = ""
    model: str = ""
    entities: Sequence[str] = ()
    scopes: tuple[str, ...] = ()


class Request(NamedTuple):
    """One request that was answered; `time` in seconds since 1970."""

    time: float
    caller: Caller
    scope: str
    status: int
    milliseconds: float


class _Counts:
    """What was counted since the last flush, by the keys of the tables."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, str, str, str, int, int]] = Counter()
        self.entities: Counter[tuple[str, str, str, str]] = Counter()
        self.last: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self.requests) + len(self.entities) + len(self.last)

    def add(self, request: Request) -> None:
        who, day = request.caller, _day(int(request.time // 86400))
        if who.key_id:
            self.last[who.key_id] = request.time
        if who.role == roles.SANDBOX:
            return
        took = latency_class(request.milliseconds)
        self.requests[
            day, who.key_id, who.agency, who.model, request.scope, request.status, took
        ] += 1
        for entity in who.entities:
            self.entities[day, who.agency, who.model, entity] += 1

    def merge(self, earlier: _Counts) -> None:
        self.requests.update(earlier.requests)
        self.entities.update(earlier.entities)
        self.last = {**earlier.last, **self.last}


class Writer:
    """Takes requests and refusals at once, and writes them within `FLUSH_SECONDS`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock, self._flushing = threading.Lock(), threading.Lock()
        self._waiting = _Counts()
        self._refused: Counter[tuple[str, str, str, str]] = Counter()
        self._lost = 0
        self._closed = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="usage", daemon=True)
        self._thread.start()
        # For a server that does not tell its application that it ends.
        atexit.register(self.close)

    def add(self, request: Request) -> None:
        """Count a request."""
        with self._lock:
            if len(self._waiting) < MOST_WAITING:
                self._waiting.add(request)
            else:
                self._lost += 1

    def refused(self, reason: str, key_id: str, agency: str, scope: str) -> None:
        """Count a refused key; equal refusals of one flush are one line of the activity log."""
        with self._lock:
            self._refused[reason, key_id, agency, scope] += 1

    def close(self) -> None:
        """Write what waits and stop."""
        atexit.unregister(self.close)
        self._stop.set()
        self._thread.join()
        self._try()

    def _run(self) -> None:
        while not self._stop.wait(FLUSH_SECONDS):
            self._try()

    def _try(self) -> None:
        try:
            self.flush()
        except sa.exc.SQLAlchemyError as error:
            # Kept; the next flush tries again.
            _LOG.warning("statistics of use wait: %s", type(error).__name__)

    def flush(self) -> None:
        """Write what waits in one transaction; what cannot be written goes on waiting."""
        with self._flushing:
            with self._lock:
                counts, refused, losses = self._waiting, self._refused, self._lost
                self._waiting, self._refused, self._lost = _Counts(), Counter(), 0
            if not (counts or refused or losses):
                return
            try:
                self._write(counts, refused, losses)
            except sa.exc.SQLAlchemyError:
                with self._lock:
                    self._waiting.merge(counts)
                    self._refused.update(refused)
                    self._lost += losses
                raise

    def _write(self, counts: _Counts, refused: Counter[Any], losses: int) -> None:
        now = datetime.now(UTC)
        log = [
            _line(now, "refused", key_id, agency, {"reason": reason, "scope": scope, "times": n})
            for (reason, key_id, agency, scope), n in refused.items()
        ]
        if losses:
            log.append(_line(now, "usage lost", "", "", {"requests": losses}))
        over = usage_days.last_over(now)
        closing = over != self._closed
        days = {key[0] for key in counts.requests} | {key[0] for key in counts.entities}
        # What the ledger vouches for is on the disk before a witness may see it.
        vouching = closing or bool(log) or any(day <= over for day in days)
        with engine(self._url, durable=vouching).begin() as connection:
            if vouching:
                # Before any row is locked, as whoever changes a key does: or each would wait.
                vouched.lock(connection)
            lines = activity.write(connection, log)
            rows = vouched.changes(connection, {activity.ACTIVITY: lines})
            if closing:
                rows += usage_days.close(connection, (REQUESTS, ENTITIES), now)
            for table, added, statement in (
                (REQUESTS, counts.requests, _COUNT_REQUESTS),
                (ENTITIES, counts.entities, _COUNT_ENTITIES),
            ):
                names = [c.name for c in table.primary_key]
                # In one order, so that two workers never wait for each other's rows.
                counted = [dict(zip(names, k, strict=True), n=n) for k, n in sorted(added.items())]
                with usage_days.late(connection, table, {k[0] for k in added}, now) as again:
                    if counted:
                        connection.execute(statement, counted)
                rows += again
            if counts.last:
                last = {key: _moment(time) for key, time in sorted(counts.last.items())}
                api_keys.used(connection, last)
            if rows:
                entries.write(connection, rows, now)
        self._closed = over


def forget(url: str, before: date, *, dry_run: bool = False) -> dict[str, int]:
    """Delete the statistics of use, and the refusals in the activity log, before a day (UTC).

    What was done to keys stays for good: it is little, and an audit may ask for it.

    Returns:
        Rows by table, deleted or, in a dry run, to be deleted.
    """
    day = before.isoformat()
    log = activity.ACTIVITY
    midnight = datetime.combine(before, datetime.min.time(), UTC)
    old = {
        REQUESTS: REQUESTS.c.day < day,
        ENTITIES: ENTITIES.c.day < day,
        log: sa.and_(log.c.what == "refused", log.c.time < midnight),
    }
    removed: dict[str, int] = {}
    with engine(url).begin() as connection:
        rows: list[entries.Entry] = []
        if not dry_run:
            vouched.lock(connection)
        for table, condition in old.items():
            count = sa.select(sa.func.count()).select_from(table).where(condition)
            removed[table.name] = connection.scalar(count) or 0
            if not dry_run:
                key = log.c.id if table is log else table.c.day
                keys = connection.execute(sa.select(key).where(condition).distinct()).all()
                connection.execute(sa.delete(table).where(condition))
                rows += vouched.changes(connection, {table: [tuple(k) for k in keys]})
        if rows:
            entries.write(connection, rows, datetime.now(UTC))
    return removed


def _line(
    now: datetime, what: str, key_id: str, agency: str, facts: dict[str, Any]
) -> dict[str, Any]:
    who = {"time": now, "what": what, "key_id": key_id, "agency": agency}
    return {**who, "by": "service", "facts": facts}


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@lru_cache(maxsize=4)
def _day(number: int) -> str:
    return _moment(number * 86400).date().isoformat()
