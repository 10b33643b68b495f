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

from yupana.core.errors import UsageError
from yupana.database import schema

BUSY_SECONDS = 30
TABLES = sa.MetaData()
"""All tables of the platform; each is described by the module that writes it, and made by the
migrations (`yupana/database/migrations`)."""


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
def engine(url: str, *, durable: bool = True) -> sa.Engine:
    """The engine of an address; an empty database gets the platform's tables.

    Args:
        durable: False where the last second may be lost in a power cut (counters, statistics):
            SQLite then does not wait for the disk at each commit, and is consistent all the same.
            A killed process loses nothing either way.

    Raises:
        TerminalError: its tables are those of another release; names the command.
    """
    database = unchecked(url, durable=durable)
    schema.require(database)
    return database


@lru_cache(maxsize=32)
def unchecked(url: str, *, durable: bool = True) -> sa.Engine:
    """The engine of an address, whatever tables its database has: for migrations.

    Raises:
        UsageError: it is an address of another kind of database.
    """
    if not url.startswith(("sqlite:", "postgresql+psycopg:")):
        raise UsageError(
            f"The platform keeps no tables in '{url.partition(':')[0]}'.",
            where="YUPANA_PLATFORM_URL",
            fix="Give postgresql+psycopg://USER@HOST/DATABASE, or sqlite:///FILE; unset it for a "
            "file in home.",
        )
    if not url.startswith("sqlite:"):
        # A server that is cut off is noticed in seconds: its callers have others waiting.
        limits = {"connect_timeout": 2, "tcp_user_timeout": 2000}
        return sa.create_engine(url, pool_pre_ping=True, connect_args=limits)
    database = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS})

    @sa.event.listens_for(database, "connect")
    def prepare(connection: Any, _: Any) -> None:
        _write_ahead(connection)
        connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")

    return database


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
