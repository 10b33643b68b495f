"""The command that asks a running forecast service."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated

import typer

from yupana.config.lazy import settings
from yupana.console import options
from yupana.console.options import UseCase


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(ask)


def ask(
    use_case: UseCase,
    entity: Annotated[list[str], typer.Argument(help="Codes, such as a district's ubigeo.")],
    url: Annotated[str, typer.Option(help="Base address of the running service.")] = "",
    horizon: Annotated[
        int | None, typer.Option(help="Periods ahead; default: all that are forecast.")
    ] = None,
    as_of: Annotated[
        datetime | None, options.as_of("The day that is asked for; default: today.")
    ] = None,
) -> None:
    """Ask the running service and print its answer as JSON.

    Example: yupana ask outbreak 160101 --as-of 2022-01-05
    """
    from yupana.client import Client
    from yupana.identity import local_key
    from yupana.tasks.forecast import usecases

    config = settings()
    address = url or f"http://127.0.0.1:{config.serve_port}"
    body = usecases.load(use_case).question(entity, as_of.date() if as_of else None, horizon)
    key = local_key.of_service(config.platform_db, config.home, config.service_key, address)
    with Client(address, use_case, key, retries=0, timeout=60.0) as client:
        print(json.dumps(client.call("forecast", body), ensure_ascii=False, indent=1))
