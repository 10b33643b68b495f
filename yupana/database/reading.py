"""Rows of the platform database for who waits at a terminal.

SQLite is asked by the standard library here: importing SQLAlchemy takes longer than many a look-up.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from yupana.core.errors import TransientError
from yupana.database.away import away

_SQLITE = "sqlite:///"
_CHUNK = 500


def rows(
    url: str, query: str, parameters: Mapping[str, Any] | None = None
) -> Iterator[tuple[Any, ...]]:
    """The rows of a query, one after the other; none where there is no database yet.

    Args:
        url: of the platform database.
        query: SQL that SQLite and PostgreSQL both understand, with `:name` for each parameter.

    Raises:
        TerminalError: the tables are those of another release.
        TransientError: the database does not answer.
    """
    if not url.startswith(_SQLITE) or "?" in url:
        yield from _by_engine(url, query, parameters)
        return
    path = Path(url.removeprefix(_SQLITE))
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(path)) as connection:
            yield from connection.execute(query, parameters or {})
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error) and "no such column" not in str(error):
            raise _away(error, url) from error
        # It is empty, or of another release: its tables are made, or it is refused.
        yield from _by_engine(url, query, parameters)


def _by_engine(
    url: str, query: str, parameters: Mapping[str, Any] | None
) -> Iterator[tuple[Any, ...]]:
    import sqlalchemy as sa

    from yupana.database.engine import engine

    try:
        with engine(url).connect() as connection:
            stream = connection.execution_options(yield_per=_CHUNK)
            for row in stream.execute(sa.text(query), dict(parameters or {})):
                yield tuple(row)
    except sa.exc.OperationalError as error:
        raise _away(error.orig, url) from error


def _away(error: object, url: str) -> TransientError:
    what, where = "The platform database does not answer", "platform database"
    return away(what, error, url=url, where=where, fix="Start it, and run this again.")
