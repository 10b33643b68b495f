"""Statistics of use: each request with a good key, written in batches by a thread of its own.

They are statistics: a killed process loses the last second of them. What was answered is in the
prediction log, which waits for the disk.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from yupana.governance import activity, keys
from yupana.governance.database import Moment, engine

_LOG = logging.getLogger(__name__)
FLUSH_SECONDS = 0.5
MOST_WAITING = 200_000
"""Requests kept while the database is away; later ones are counted and not kept."""
METADATA = sa.MetaData()

REQUESTS = sa.Table(
    "requests",
    METADATA,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("time", Moment, nullable=False),
    sa.Column("day", sa.String(10), nullable=False, index=True),
    sa.Column("key_id", sa.String(12), nullable=False),
    sa.Column("agency", sa.String(100), nullable=False),
    sa.Column("model", sa.String(128), nullable=False),
    sa.Column("scope", sa.String(64), nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("milliseconds", sa.Float, nullable=False),
)
DISTRICTS = sa.Table(
    "districts_asked",
    METADATA,
    sa.Column("day", sa.String(10), primary_key=True),
    sa.Column("agency", sa.String(100), primary_key=True),
    sa.Column("model", sa.String(128), primary_key=True),
    sa.Column("ubigeo", sa.String(6), primary_key=True),
    sa.Column("asked", sa.BigInteger, nullable=False),
)
_COUNT = sa.text(
    "INSERT INTO districts_asked (day, agency, model, ubigeo, asked) "
    "VALUES (:day, :agency, :model, :ubigeo, :n) ON CONFLICT (day, agency, model, ubigeo) "
    "DO UPDATE SET asked = districts_asked.asked + :n"
)


@dataclass
class Caller:
    """Who asks, for the service to read; and what it answered with, for it to write.

    The service sets `model` (such as outbreak@3) and `ubigeos`; both are counted.
    """

    key_id: str = ""
    agency: str = ""
    role: str = ""
    model: str = ""
    ubigeos: Sequence[str] = ()


@dataclass(frozen=True)
class Request:
    """One request that was answered; `time` in seconds since 1970."""

    time: float
    caller: Caller
    scope: str
    status: int
    milliseconds: float


class Writer:
    """Takes requests and refusals at once, and writes them within `FLUSH_SECONDS`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock, self._flushing = threading.Lock(), threading.Lock()
        self._requests: list[Request] = []
        self._refused: Counter[tuple[str, str, str, str]] = Counter()
        self._lost = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="usage", daemon=True)
        self._thread.start()
        # For a server that does not tell its application that it ends.
        atexit.register(self.close)

    def add(self, request: Request) -> None:
        """Count a request."""
        with self._lock:
            if len(self._requests) < MOST_WAITING:
                self._requests.append(request)
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
                requests, refused, lost = self._requests, self._refused, self._lost
                self._requests, self._refused, self._lost = [], Counter(), 0
            if not (requests or refused or lost):
                return
            try:
                self._write(requests, refused, lost)
            except sa.exc.SQLAlchemyError:
                with self._lock:
                    self._requests = requests + self._requests
                    self._refused.update(refused)
                    self._lost += lost
                raise

    def _write(self, requests: list[Request], refused: Counter[Any], lost: int) -> None:
        keys.prepare(self._url)
        now = datetime.now(UTC)
        log = [
            _line(now, "refused", key_id, agency, {"reason": reason, "scope": scope, "times": n})
            for (reason, key_id, agency, scope), n in refused.items()
        ]
        if lost:
            log.append(_line(now, "usage lost", "", "", {"requests": lost}))
        with engine(self._url, METADATA, durable=False).begin() as connection:
            activity.write(connection, log)
            if not requests:
                return
            connection.execute(sa.insert(REQUESTS), [_row(r) for r in requests])
            asked = Counter(
                (_day(r.time), r.caller.agency, r.caller.model, ubigeo)
                for r in requests
                for ubigeo in r.caller.ubigeos
            )
            if asked:
                names = ("day", "agency", "model", "ubigeo")
                # In one order, so that two workers never wait for each other's rows.
                rows = [dict(zip(names, k, strict=True), n=n) for k, n in sorted(asked.items())]
                connection.execute(_COUNT, rows)
            if last := {r.caller.key_id: _moment(r.time) for r in requests if r.caller.key_id}:
                keys.used(connection, dict(sorted(last.items())))


def forget(url: str, before: date, *, dry_run: bool = False) -> dict[str, int]:
    """Delete the statistics of use, and the refusals in the activity log, before a day (UTC).

    What was done to keys stays for good: it is little, and an audit may ask for it.

    Returns:
        Rows by table, deleted or, in a dry run, to be deleted.
    """
    keys.prepare(url)
    day = before.isoformat()
    log = activity.ACTIVITY
    midnight = datetime.combine(before, datetime.min.time(), UTC)
    old = {
        REQUESTS: REQUESTS.c.day < day,
        DISTRICTS: DISTRICTS.c.day < day,
        log: sa.and_(log.c.what == "refused", log.c.time < midnight),
    }
    found: dict[str, int] = {}
    with engine(url, METADATA, durable=False).begin() as connection:
        for table, condition in old.items():
            count = sa.select(sa.func.count()).select_from(table).where(condition)
            found[table.name] = connection.scalar(count) or 0
            if not dry_run:
                connection.execute(sa.delete(table).where(condition))
    return found


def _line(
    now: datetime, what: str, key_id: str, agency: str, facts: dict[str, Any]
) -> dict[str, Any]:
    who = {"time": now, "what": what, "key_id": key_id, "agency": agency}
    return {**who, "by": "service", "facts": facts}


def _row(request: Request) -> dict[str, Any]:
    return {
        "time": _moment(request.time),
        "day": _day(request.time),
        "key_id": request.caller.key_id,
        "agency": request.caller.agency,
        "model": request.caller.model,
        "scope": request.scope,
        "status": request.status,
        "milliseconds": request.milliseconds,
    }


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _day(seconds: float) -> str:
    return _moment(seconds).date().isoformat()
