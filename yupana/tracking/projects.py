"""Projects: an environment, the data that may be read, experiments and models, under one name.

A step that runs in a project (`YUPANA_PROJECT`) is refused data that the project may not read,
and an environment other than the one that the project was made for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from yupana.config.settings import Settings
from yupana.core import usecase
from yupana.core.errors import TerminalError, UsageError
from yupana.data.contracts import contract
from yupana.database.engine import TABLES, Moment, engine
from yupana.ledger import entries, vouched, witness
from yupana.tracking import facts

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")

PROJECTS = sa.Table(
    "projects",
    TABLES,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Column("models", sa.JSON, nullable=False),
    sa.Column("lock", sa.String(64), nullable=False),
    sa.Column("created", Moment, nullable=False),
    sa.Column("changed", Moment, nullable=False),
    sa.Column("deleted_on", sa.String(10), nullable=False, default=""),
)

Project = dict[str, Any]
"""A row of `PROJECTS`: `data` are names of published data sets, `models` use cases (each has its
MLflow experiment), `lock` the SHA-256 of the environment's lock file."""


def create(
    settings: Settings, name: str, *, title: str, data: list[str], models: list[str]
) -> Project:
    """Make a project for the present environment.

    Raises:
        UsageError: the name is taken or cannot be one, or a data set or model is not known.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"'{name}' cannot be the name of a project.",
            where="the project's name",
            fix="Use small letters, digits, '-' and '_', beginning with a letter.",
        )
    _demand_existing(settings, data, models)
    now = datetime.now(UTC)
    row = {
        "name": name,
        "title": title or name,
        "data": sorted(set(data)),
        "models": sorted(set(models)),
        "lock": facts.environment(settings)["lock"],
        "created": now,
        "changed": now,
        "deleted_on": "",
    }
    try:
        with engine(settings.platform_db).begin() as connection:
            connection.execute(sa.insert(PROJECTS), row)
            _vouch(connection, [name])
    except sa.exc.IntegrityError as error:
        raise UsageError(
            f"There is a project '{name}' already, or one that was deleted of late.",
            where="projects",
            fix=f"yupana projects show {name}, or yupana projects restore {name}",
        ) from error
    witness.leave(settings)
    return find(settings, name)


def listing(settings: Settings) -> list[Project]:
    """All projects by name, those deleted of late among them."""
    query = sa.select(PROJECTS).order_by(PROJECTS.c.name)
    with engine(settings.platform_db).connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def find(settings: Settings, name: str) -> Project:
    """A project by name, deleted of late or not.

    Raises:
        UsageError: there is none; lists those there are.
    """
    rows = listing(settings)
    for row in rows:
        if row["name"] == name:
            return row
    names = ", ".join(r["name"] for r in rows if not r["deleted_on"])
    raise UsageError(
        f"There is no project '{name}'.",
        where="projects",
        fix=f"Use one of: {names}." if names else f"Make it: yupana projects create {name} …",
    )


def change(
    settings: Settings,
    name: str,
    *,
    title: str | None = None,
    data: list[str] | None = None,
    models: list[str] | None = None,
    lock: bool = False,
) -> Project:
    """Change what is given; `data` and `models` replace those before, `lock` takes the present one.

    Raises:
        UsageError: no such project, it was deleted, or a data set or model is not known.
    """
    _in_use(settings, name)
    _demand_existing(settings, data or [], models or [])
    options: dict[str, Any] = {"title": title, "data": data, "models": models}
    values = {k: sorted(set(v)) if isinstance(v, list) else v for k, v in options.items() if v}
    if lock:
        values["lock"] = facts.environment(settings)["lock"]
    return _update(settings, name, {**values, "changed": datetime.now(UTC)})


def delete(settings: Settings, name: str, today: date) -> date:
    """Close a project; its runs and models stay. Returns the last day on which it can be restored.

    Projects whose time is over are removed for good.

    Raises:
        UsageError: no such project, or it is deleted already.
    """
    _in_use(settings, name)
    _update(settings, name, {"deleted_on": today.isoformat()})
    oldest = (today - timedelta(days=settings.keep_days)).isoformat()
    expired = (PROJECTS.c.deleted_on != "") & (PROJECTS.c.deleted_on < oldest)
    with engine(settings.platform_db).begin() as connection:
        names = connection.scalars(sa.delete(PROJECTS).where(expired).returning(PROJECTS.c.name))
        _vouch(connection, list(names))
    return today + timedelta(days=settings.keep_days)


def restore(settings: Settings, name: str, today: date) -> Project:
    """Undo a deletion.

    Raises:
        UsageError: it is not deleted, or its time is over.
    """
    row = find(settings, name)
    if not row["deleted_on"]:
        raise UsageError(
            f"Project '{name}' is not deleted.", where="projects", fix="Nothing need be done."
        )
    last = date.fromisoformat(row["deleted_on"]) + timedelta(days=settings.keep_days)
    if last < today:
        raise UsageError(
            f"Project '{name}' was deleted on {row['deleted_on']}; it could be restored "
            f"until {last}.",
            where="projects",
            fix="Make it again under another name: yupana projects create …",
        )
    return _update(settings, name, {"deleted_on": ""})


def check(settings: Settings, name: str, use_case: str, data: Iterable[str]) -> None:
    """Whether a use case's step may run in a project and read these data sets.

    Args:
        name: the project that is chosen; empty where none is, and then all is allowed.

    Raises:
        UsageError: no such project, or it holds neither that model nor one of the data sets.
        TerminalError: the environment is not the project's.
    """
    if not name:
        return
    row = _in_use(settings, name)
    refused = sorted(set(data) - set(row["data"]))
    if refused:
        raise UsageError(
            f"Project '{name}' may not read {', '.join(refused)}.",
            where=f"project {name}: it may read {', '.join(row['data']) or 'nothing'}",
            fix="Who answers for the data adds it: yupana projects change "
            f"{name} {' '.join(f'--data {d}' for d in sorted({*row['data'], *refused}))}",
        )
    if use_case not in row["models"]:
        raise UsageError(
            f"Project '{name}' has no model '{use_case}'.",
            where=f"project {name}: it has {', '.join(row['models']) or 'none'}",
            fix=f"yupana projects change {name} "
            + " ".join(f"--model {m}" for m in sorted({*row["models"], use_case})),
        )
    if (present := facts.environment(settings)["lock"]) != row["lock"]:
        raise TerminalError(
            f"The environment is not that of project '{name}'.",
            where=f"uv.lock is {present[:12] or 'absent'}, the project's is {row['lock'][:12]}",
            fix=f"Install the project's, or take this one: yupana projects change {name} --lock",
        )


def _in_use(settings: Settings, name: str) -> Project:
    row = find(settings, name)
    if row["deleted_on"]:
        raise UsageError(
            f"Project '{name}' was deleted on {row['deleted_on']}.",
            where="projects",
            fix=f"yupana projects restore {name}",
        )
    return row


def _demand_existing(settings: Settings, data: list[str], models: list[str]) -> None:
    for dataset in data:
        contract.load(settings.root, dataset)
    for model in models:
        if not usecase.has_pipeline(model):
            raise UsageError(
                f"There is no use case '{model}'.",
                where=f"pipelines/{model}.py",
                fix="Name a use case that has a training pipeline, see `yupana usecases`.",
            )


def _update(settings: Settings, name: str, values: dict[str, Any]) -> Project:
    with engine(settings.platform_db).begin() as connection:
        before = vouched.present(connection, {PROJECTS: [(name,)]})
        connection.execute(sa.update(PROJECTS).where(PROJECTS.c.name == name).values(values))
        _vouch(connection, [name], before)
    witness.leave(settings)
    return find(settings, name)


def _vouch(
    connection: sa.Connection, names: list[str], before: vouched.Digests | None = None
) -> None:
    rows = vouched.changes(connection, {PROJECTS: [(name,) for name in names]}, before)
    entries.write(connection, rows, datetime.now(UTC))
