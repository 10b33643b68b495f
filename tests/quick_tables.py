"""The tables of an empty SQLite database: made by the migrations once a process, copied after.

Many hundreds of tests begin with an empty home, in which the migrations cost a fifth of a second
of processor time each. Other processes, PostgreSQL, and whatever is not empty get the migrations
themselves.
"""

from __future__ import annotations

import sqlite3
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from yupana.database import schema

_upgrade = schema.upgrade


def install() -> None:
    """From now on, in this process."""
    schema.upgrade = upgrade


def upgrade(
    engine: sa.Engine, revision: str = "head", *, home: Path | None = None
) -> tuple[str, str]:
    """As `schema.upgrade`."""
    plain: dict[str, Any] = {"revision": revision, "home": home}
    if engine.dialect.name != "sqlite" or plain != {"revision": "head", "home": None}:
        return _upgrade(engine, **plain)
    with schema._alone(engine) as connection:
        current = schema.read(connection)
        if current == schema.Schema("", empty=True):
            for statement in _statements():
                connection.exec_driver_sql(statement)
            return "", schema.HEAD
    return _upgrade(engine, **plain)


@cache
def _statements() -> tuple[str, ...]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "platform.db"
        _upgrade(sa.create_engine(f"sqlite:///{path}"))
        with sqlite3.connect(path) as connection:
            return tuple(
                line for line in connection.iterdump()
                if line not in ("BEGIN TRANSACTION;", "COMMIT;")
            )  # fmt: skip
