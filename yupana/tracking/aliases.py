"""Which version is champion, by the registry's own alias, in milliseconds.

MLflow's client takes seconds to import, which every step's key would pay. Its database is read
instead where the registry is one; a server is asked by the client.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, TransientError

_SQLITE = "sqlite:///"
_TABLE = "registered_model_aliases"
_QUERY = f"SELECT alias, version FROM {_TABLE} WHERE workspace = 'default' AND name = :name"


def champion(settings: Settings, use_case: str) -> str:
    """The reference of the champion, `model:<use case>@<version>`.

    Whether it may answer is the gate's word: `registry.champion`.

    Raises:
        TerminalError: no model was good enough yet.
        TransientError: the registry cannot be reached.
    """
    version = of(settings, use_case).get("champion")
    if version is None:
        raise TerminalError(
            f"'{use_case}' has no champion.",
            where="the registry's alias 'champion'",
            fix=f"Run `yupana train {use_case}`; if it ran, `yupana models list {use_case}` says "
            "why none is: no candidate beat the baselines, or the gate did not admit it.",
        )
    return f"model:{use_case}@{version}"


def of(settings: Settings, use_case: str) -> dict[str, int]:
    """The version that has each alias (champion, challenger); empty where nothing is registered.

    Raises:
        TransientError: the registry cannot be reached.
    """
    if settings.mlflow.startswith(("http://", "https://")):
        from yupana.tracking import registry

        return registry.versions_by_alias(settings, use_case)
    rows = _of_sqlite if settings.mlflow.startswith(_SQLITE) else _of_server
    return {str(alias): int(version) for alias, version in rows(settings.mlflow, use_case)}


def _of_sqlite(url: str, use_case: str) -> list[tuple[str, int]]:
    path = Path(url.removeprefix(_SQLITE))
    # To open a file that is not there would make it.
    if not path.exists():
        return []
    try:
        with closing(sqlite3.connect(path)) as connection:
            return connection.execute(_QUERY, {"name": use_case}).fetchall()
    except sqlite3.Error as error:
        if f"no such table: {_TABLE}" in str(error):
            return []
        raise _away(str(error), url) from error


def _of_server(url: str, use_case: str) -> list[tuple[str, int]]:
    import sqlalchemy as sa

    try:
        with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
            if not sa.inspect(connection).has_table(_TABLE):
                return []
            rows = connection.execute(sa.text(_QUERY), {"name": use_case})
            return [(alias, version) for alias, version in rows]
    except sa.exc.SQLAlchemyError as error:
        address = sa.make_url(url).render_as_string(hide_password=True)
        raise _away(str(error).splitlines()[0], address) from error


def _away(message: str, where: str) -> TransientError:
    return TransientError(
        f"The registry does not answer: {message}",
        where=where,
        fix="Mend that, then run again: nothing was changed.",
    )
