"""The platform database: one engine for each address, and moments that keep their time zone."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from tenacity import (
    Retrying,
    retry_if_exception_message,
    stop_after_delay,
    wait_random,
)

BUSY_SECONDS = 30
_CREATION = 0x797570616E61  # "yupana": the key of PostgreSQL's lock


class Moment(sa.types.TypeDecorator[datetime]):
    """A moment in UTC; SQLite alone would give it back without its time zone."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


@lru_cache(maxsize=32)
def engine(url: str, tables: sa.MetaData, *, durable: bool = True) -> sa.Engine:
    """The engine of an address, with these tables made.

    Args:
        durable: False where the last second may be lost in a power cut (counters, statistics):
            SQLite then does not wait for the disk at each commit, and is consistent all the same.
            A killed process loses nothing either way.
    """
    made = _engine(url, durable)
    present = set(sa.inspect(made).get_table_names())
    if not {table.name for table in tables.sorted_tables} <= present:
        _create(made, tables)
    return made


def _create(engine: sa.Engine, tables: sa.MetaData) -> None:
    """Create the tables that are lacking, while no other process looks which are."""
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_CREATION)))
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        tables.create_all(connection)


@lru_cache(maxsize=8)
def _engine(url: str, durable: bool) -> sa.Engine:
    if not url.startswith("sqlite"):
        # A server that is cut off is noticed in seconds: its callers have others waiting.
        limits = {"connect_timeout": 2, "tcp_user_timeout": 2000}
        return sa.create_engine(url, pool_pre_ping=True, connect_args=limits)
    made = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS})

    @sa.event.listens_for(made, "connect")
    def prepare(connection: Any, _: Any) -> None:
        _write_ahead(connection)
        connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")

    return made


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Let readers not wait for the writer (sqlite.org/wal.html).

    Connections that change a new file's mode in the same moment are refused without a wait.
    """
    for attempt in Retrying(
        retry=retry_if_exception_message(match="database is locked"),
        wait=wait_random(0, 0.05),
        stop=stop_after_delay(BUSY_SECONDS),
        reraise=True,
    ):
        with attempt:
            connection.execute("PRAGMA journal_mode=WAL")
