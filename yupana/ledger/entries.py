"""The ledger as the rest of the platform uses it: append, write, read.

One event is one line of canonical JSON with the hash of the line before it, so a change anywhere
breaks the chain after it. Writers come one after the other: by SQLite's write lock, or by an
advisory lock of PostgreSQL that ends with the transaction.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.database.away import away
from yupana.database.engine import engine
from yupana.ledger import signing
from yupana.ledger.canonical import canonical
from yupana.ledger.table import LEDGER

KINDS = (
    "step", "gate", "assess", "approve", "suspend", "resume", "deploy", "withdraw", "key",
    "access", "predictions", "archive", "alert", "acknowledge", "release", "forget", "root", "rows",
    "case",
)  # fmt: skip
PSEUDONYM = re.compile(r"person:[0-9a-f]{16}")
Row = tuple[int, str, str, bytes]
START = "0" * 64
"""What the first event has in place of the hash before it."""

LOCK = 0x79757061
"""PostgreSQL's advisory lock of those who append; it needs no privilege."""

_INSERT = "INSERT INTO ledger (seq, kind, subject, line)"
_FROM_JSON = (
    "SELECT (value ->> 0)::bigint, value ->> 1, value ->> 2, value ->> 3 "
    "FROM json_array_elements(%s::json)"
)
_LONGEST_SUBJECT = 200
LONGEST_LINE = 1 << 20
"""Bytes of an event; the verifier takes no longer one."""


@dataclass(frozen=True)
class Entry:
    """What is to be recorded; `facts` is small and plain, and holds no personal data.

    Attributes:
        kind: one of `KINDS`.
        actor: a pseudonym of `people`, or "" where no person acts.
    """

    kind: str
    subject: str
    facts: dict[str, Any] = field(default_factory=dict)
    actor: str = ""


@dataclass(frozen=True)
class Sealed:
    """An event in its place in the chain; `time` is ISO 8601 in UTC, with milliseconds."""

    seq: int
    time: str
    kind: str
    subject: str
    actor: str
    facts: dict[str, Any]
    previous: str
    hash: str


def record(settings: Settings, entries: Sequence[Entry], now: datetime) -> list[Sealed]:
    """Record events in a transaction of their own; `writer.append` also does what comes after."""
    with transaction(settings, now) as connection:
        return write(connection, entries, now)


@contextmanager
def transaction(settings: Settings, now: datetime) -> Iterator[sa.Connection]:
    """A transaction in which no one else appends; a new ledger begins with its own key.

    Raises:
        TerminalError: the ledger was begun with another key.
        TransientError: the platform database is away.
    """
    with reached(settings.platform_db) as connection, connection.begin():
        hold(connection.connection.driver_connection, connection.dialect.name)
        write(connection, _new_key(settings, connection), now)
        yield connection


def write(connection: sa.Connection, entries: Sequence[Entry], now: datetime) -> list[Sealed]:
    """Record events in the caller's transaction.

    Others who append wait until that transaction ends, so this comes last in it.
    """
    driver = connection.connection.driver_connection
    return chain(driver, connection.dialect.name, entries, now)


def chain(
    driver: Any, dialect: str, entries: Sequence[Entry], now: datetime, locked: bool = False
) -> list[Sealed]:
    """`write` on a connection of the driver itself; `locked` says that the lock is taken."""
    cursor = driver.cursor()
    if not locked:
        hold(driver, dialect)
    cursor.execute("SELECT line FROM ledger ORDER BY seq DESC LIMIT 1")
    last = cursor.fetchone()
    head = _opened(last[0]) if last else None
    rows, sealed = [], []
    for entry in entries:
        line = _line(entry, head, now)
        head = _opened(line)
        sealed.append(head)
        rows.append((head.seq, entry.kind, entry.subject, line))
    if dialect == "sqlite":
        cursor.executemany(f"{_INSERT} VALUES (?, ?, ?, ?)", rows)
    elif rows:
        # One question to the server, whatever their number; as arrays they are escaped slowly.
        cursor.execute(f"{_INSERT} {_FROM_JSON}", (json.dumps(rows, ensure_ascii=False),))
    cursor.close()
    return sealed


def hold(driver: Any, dialect: str) -> None:
    """Let no one else append until the transaction ends."""
    if dialect != "sqlite":
        cursor = driver.cursor()
        cursor.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
        cursor.close()
    elif not driver.in_transaction:
        # One that has begun has written already, and so has SQLite's lock.
        driver.execute("BEGIN IMMEDIATE")


def read(url: str, *, kind: str = "", subject: str = "", since: int = 0) -> Iterator[Sealed]:
    """Events, oldest first.

    Args:
        since: the number (`seq`) from which on; 0 for all.
    """
    query = _query(kind, subject).where(LEDGER.c.seq >= since).order_by(LEDGER.c.seq)
    with reached(url) as connection:
        for (line,) in connection.execution_options(yield_per=1000).execute(query):
            yield _opened(line)


def newest(url: str, kind: str = "", subject: str = "") -> Sealed | None:
    """The last event, of a kind, on a subject, or of all."""
    return next(iter(recent(url, 1, kind=kind, subject=subject)), None)


def recent(url: str, last: int, *, kind: str = "", subject: str = "") -> list[Sealed]:
    """The newest events, of a kind, on a subject, or of all; oldest first."""
    query = _query(kind, subject).order_by(LEDGER.c.seq.desc()).limit(last)
    with reached(url) as connection:
        return [_opened(line) for (line,) in connection.execute(query)][::-1]


def has(url: str, kind: str) -> bool:
    """Whether there is an event of a kind."""
    query = sa.select(LEDGER.c.seq).where(LEDGER.c.kind == kind).limit(1)
    with reached(url) as connection:
        return connection.scalar(query) is not None


def lines(url: str, since: int = 0) -> Iterator[bytes]:
    """The events' canonical texts, oldest first."""
    query = sa.select(LEDGER.c.line).where(LEDGER.c.seq >= since).order_by(LEDGER.c.seq)
    with reached(url) as connection:
        for (line,) in connection.execution_options(yield_per=5000).execute(query):
            yield line.encode()


def rows(url: str, until: int = 0) -> Iterator[Row]:
    """As `stored`, up to a number; 0 for all."""
    with reached(url) as connection:
        yield from stored(connection, until)


def stored(connection: sa.Connection, until: int = 0, after: int | None = None) -> Iterator[Row]:
    """Number, kind and subject as the table says them, and the event's text, oldest first."""
    query = sa.select(LEDGER).order_by(LEDGER.c.seq)
    if after is not None:
        query = query.where(LEDGER.c.seq > after)
    if until:
        query = query.where(LEDGER.c.seq <= until)
    rows = connection.execute(query, execution_options={"yield_per": 5000})
    for seq, kind, subject, line in rows:
        yield seq, kind, subject, line.encode()


@contextmanager
def snapshot(url: str) -> Iterator[sa.Connection]:
    """A connection that sees the database as it was at its first question, while others write.

    Raises:
        TransientError: the database is away.
    """
    with reached(url) as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
        else:
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


@contextmanager
def reached(url: str) -> Iterator[sa.Connection]:
    """A connection to the ledger's database.

    Raises:
        TransientError: it is away.
    """
    try:
        with engine(url).connect() as connection:
            yield connection
    except sa.exc.OperationalError as error:
        fix = "Start it, and run this again: what the ledger does not know is not done."
        what, where = "The ledger cannot be reached", "platform database"
        raise away(what, error.orig, url=url, where=where, fix=fix) from error


def _new_key(settings: Settings, connection: sa.Connection) -> list[Entry]:
    """The ledger's own key, once: so that a copy of the ledger says by which key it is signed."""
    public = signing.public_key(settings)
    line = connection.scalar(_query("key", signing.NAME).order_by(LEDGER.c.seq).limit(1))
    if line is None:
        return [Entry("key", signing.NAME, {"what": "in use", "public": public})]
    if _opened(line).facts.get("public") != public:
        raise TerminalError(
            "This ledger was begun with another key than the one of this home.",
            where=str(signing.key_file(settings)),
            fix="One database has one home: use that one, or bring its `keys/ledger.*` here.",
        )
    return []


def _query(kind: str, subject: str) -> sa.Select[Any]:
    query = sa.select(LEDGER.c.line)
    if kind:
        query = query.where(LEDGER.c.kind == kind)
    return query.where(LEDGER.c.subject == subject) if subject else query


def _line(entry: Entry, head: Sealed | None, now: datetime) -> str:
    _check(entry)
    moment = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    line = canonical(
        {
            "actor": entry.actor,
            "facts": entry.facts,
            "kind": entry.kind,
            "previous": head.hash if head else START,
            "seq": head.seq + 1 if head else 1,
            "subject": entry.subject,
            # A clock that was set back does not set the ledger back.
            "time": max(moment, head.time) if head else moment,
        }
    )
    if len(line) * 4 > LONGEST_LINE and len(line.encode()) > LONGEST_LINE:
        raise TerminalError(
            f"An event has at most {LONGEST_LINE:,} bytes.",
            where=f"ledger, {entry.kind} {entry.subject}",
            fix="Give the SHA-256 of what is large, and keep that elsewhere.",
        )
    return line


def _opened(line: str) -> Sealed:
    return Sealed(**json.loads(line), hash=hashlib.sha256(line.encode()).hexdigest())


def _check(entry: Entry) -> None:
    if entry.kind not in KINDS:
        raise TerminalError(
            f"The ledger has no kind '{entry.kind}'.", where="ledger", fix=f"Use {', '.join(KINDS)}"
        )
    if not 0 < len(entry.subject) <= _LONGEST_SUBJECT or "\0" in entry.subject:
        raise TerminalError(
            f"A subject has 1 to {_LONGEST_SUBJECT} characters.",
            where=f"ledger, {entry.kind}",
            fix="Name it by its reference.",
        )
    if entry.actor and not PSEUDONYM.fullmatch(entry.actor):
        raise TerminalError(
            "A name does not belong in the ledger.",
            where=f"ledger, {entry.kind} {entry.subject}",
            fix="Give the actor as `people.pseudonym(settings, account)`.",
        )
