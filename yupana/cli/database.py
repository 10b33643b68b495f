"""`yupana database`: the schema of the platform database, and its migrations."""

from __future__ import annotations

from typing import Annotated

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson, say_json


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    group = typer.Typer(
        no_args_is_help=True,
        help="Migrate the platform database (keys, answers, ledger, alerts) to this release's "
        "schema. An empty one gets it by itself.",
    )
    for command in (check, upgrade, downgrade):
        group.command()(command)
    app.add_typer(group, name="database")


def check(as_json: AsJson = False) -> None:
    """Say which schema the database has, and which this release needs; exit code 1 if another.

    Example: yupana database check
    """
    from yupana.database import schema
    from yupana.database.engine import unchecked

    engine = unchecked(settings().platform_db)
    with schema.outside_trouble(engine), engine.connect() as connection:
        state = schema.read(connection)
    if as_json:
        say_json({"schema": state.revision, "needs": schema.HEAD, "empty": state.empty})
    else:
        none = "none: it is empty" if state.empty else "none: it is from before migrations"
        print(f"schema: {state.revision or none}; this yupana needs {schema.HEAD}")
    if not state.is_current and not state.empty:
        raise typer.Exit(1)


def upgrade(
    revision: Annotated[str, typer.Argument(help="A schema, e.g. 0002; or head.")] = "head",
) -> None:
    """Migrate the database up, all or nothing. Stop what uses it and copy it before.

    Example: yupana database upgrade
    """
    from yupana.database import schema
    from yupana.database.engine import unchecked

    home = settings().home
    _say(*schema.upgrade(unchecked(settings().platform_db), revision, home=home))


def downgrade(
    revision: Annotated[str, typer.Argument(help="The schema of the older release, e.g. 0001.")],
) -> None:
    """Migrate the database down, so that an older release can use it again, all or nothing.

    Example: yupana database downgrade 0001
    """
    from yupana.database import schema
    from yupana.database.engine import unchecked

    home = settings().home
    _say(*schema.downgrade(unchecked(settings().platform_db), revision, home=home))


def _say(before: str, after: str) -> None:
    step = f"{before or 'none'} → {after}"
    print(f"schema: {step if before != after else f'{after}, as before'}")
