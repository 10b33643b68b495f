"""The schema of the platform database: which revision it has, and the way up and down (Alembic).

https://alembic.sqlalchemy.org/en/latest/tutorial.html
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from yupana.core.errors import TerminalError, UsageError
from yupana.database.away import away

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

HEAD = "0009"
"""The revision that this release reads and writes."""

VERSION_TABLE = "yupana_schema"
# Tables of a home from before there were migrations tell it from an empty database.
_OLDEST = ("ledger", "keys", "answers_given", "alerts", "people")
_LOCK = 0x797570616E61  # "yupana": the key of PostgreSQL's lock
_REVISION = sa.text(f"SELECT version_num FROM {VERSION_TABLE}")


@dataclass(frozen=True)
class Schema:
    """What a database has.

    Attributes:
        revision: empty where no migration was ever run.
        empty: whether it has no table of the platform.
    """

    revision: str
    empty: bool

    @property
    def is_current(self) -> bool:
        return self.revision == HEAD


def read(connection: sa.Connection) -> Schema:
    """The schema of a database."""
    tables = sa.inspect(connection)
    # In this order: who makes all of them in one transaction may commit between two looks.
    there = any(tables.has_table(name) for name in _OLDEST)
    if tables.has_table(VERSION_TABLE):
        revision = connection.scalar(_REVISION) or ""
        return Schema(str(revision), empty=not revision)
    return Schema("", empty=not there)


def require(engine: sa.Engine) -> None:
    """Make the tables of an empty database; refuse one of another release.

    Raises:
        TerminalError: its tables are older or newer; names the command.
    """
    with engine.connect() as connection:
        current = read(connection)
    if current.is_current:
        return
    if current.empty:
        upgrade(engine)
        return
    newer = bool(current.revision) and current.revision not in _revisions()
    raise TerminalError(
        f"The platform database has schema {current.revision or 'of before migrations'}; this "
        f"yupana needs {HEAD}.",
        where=engine.url.render_as_string(hide_password=True),
        fix="It was made by a newer yupana: install that one."
        if newer
        else "Stop its services, copy it, and run `yupana database upgrade`.",
    )


def upgrade(
    engine: sa.Engine, revision: str = "head", *, home: Path | None = None
) -> tuple[str, str]:
    """Migrate up, all in one transaction; returns the revisions before and after.

    Args:
        home: the platform's, whose event log was a file up to schema 0004; default: the folder of
            an SQLite database.

    Raises:
        UsageError: there is no such revision.
        TransientError: the database does not answer; it is as it was.
    """
    from alembic import command

    return _migrate(engine, revision, command.upgrade, home)


def downgrade(
    engine: sa.Engine, revision: str, *, home: Path | None = None
) -> tuple[str, str]:
    """Migrate down, all in one transaction; returns the revisions before and after.

    Args:
        home: the platform's, whose event log was a file up to schema 0004; default: the folder of
            an SQLite database.

    Raises:
        UsageError: there is no such revision, or no way down to it.
        TransientError: the database does not answer; it is as it was.
    """
    from alembic import command

    return _migrate(engine, revision, command.downgrade, home)


def _migrate(
    engine: sa.Engine, revision: str, way: Any, home: Path | None
) -> tuple[str, str]:
    revisions = _revisions()
    if revision not in ("head", "base", *revisions):
        raise UsageError(
            f"There is no schema {revision}.",
            where="REVISION",
            fix=f"One of: {', '.join(revisions)}.",
        )
    with _alone(engine) as connection:
        config = _config()
        config.attributes.update(connection=connection, home=home)
        before = read(connection).revision
        way(config, revision)
        return before, read(connection).revision


@contextmanager
def outside_trouble(engine: sa.Engine) -> Iterator[None]:
    """Meanwhile a database that does not answer, or is held by another, is worth a retry.

    Raises:
        TransientError: it is; what a migration did is undone.
    """
    try:
        yield
    except sa.exc.OperationalError as error:
        raise away(
            "The platform database does not answer, or not in time",
            error.orig,
            url=str(engine.url),
            where=engine.url.render_as_string(hide_password=True),
            fix="Start it, stop what uses it, and run this again: it is as it was.",
        ) from error


@contextmanager
def _alone(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction during which no other process migrates."""
    with outside_trouble(engine), engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _revisions() -> list[str]:
    """All revisions, oldest first."""
    return [script.revision for script in reversed(list(_scripts().walk_revisions()))]


def _scripts() -> ScriptDirectory:
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config())
