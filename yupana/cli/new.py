"""`yupana new`: the files of a new use case."""

from __future__ import annotations

from typing import Annotated

import typer

from yupana.console.options import AsJson, say_json

Column = Annotated[str, typer.Option(metavar="COLUMN", help="Guessed where only one can be.")]


def register(app: typer.Typer) -> None:
    """Add this group to the command line."""
    group = typer.Typer(no_args_is_help=True, help="Write the files of something new.")
    group.callback()(lambda: None)
    group.command()(usecase)
    app.add_typer(group, name="new")


def usecase(
    name: Annotated[str, typer.Argument(help="Small letters, digits and underscores.")],
    data: Annotated[str, typer.Option(metavar="DATASET", help="A published data set.")],
    task: Annotated[str, typer.Option(help="The kind of use case.")] = "forecast",
    entity: Column = "",
    period: Column = "",
    count: Column = "",
    as_json: AsJson = False,
) -> None:
    """Write a small use case of a kind, which trains, serves and is monitored at once.

    All its files bear its name, and no other file changes. For forecasts the data set has a row
    an entity and a period (a week or a month): its columns are guessed from contract and table.

    Example: yupana new usecase river_floods --data river_floods_monthly --entity station
    """
    from datetime import UTC, datetime

    from yupana.cli.lazy import Commands
    from yupana.config.settings import settings
    from yupana.core import usecase as use_cases
    from yupana.core.errors import UsageError
    from yupana.orchestration import new_usecase

    if name in {*Commands()} - {*use_cases.names()}:
        raise UsageError(
            f"`yupana {name}` is a command already.",
            where="NAME",
            fix="Give another name: below it stand the commands that a use case adds.",
        )
    columns = {"entity": entity, "period": period, "count": count}
    paths = new_usecase.write(settings(), name, task, data, columns, datetime.now(UTC).date())
    if as_json:
        say_json({"use_case": name, "files": paths})
        return
    print("\n".join(paths))
    print(f"\nnext: yupana usecases check {name}, then features, train, deploy, serve, monitor")
