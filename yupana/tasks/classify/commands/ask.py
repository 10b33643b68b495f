"""The command that asks a running classifier."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from yupana.config.lazy import settings
from yupana.console.options import UseCase


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(ask)


def ask(
    use_case: UseCase,
    text: Annotated[list[str], typer.Argument(help="Texts, each in quotes.")],
    title: Annotated[str, typer.Option(help="A heading of all of them.")] = "",
    url: Annotated[str, typer.Option(help="Base address of the running service.")] = "",
) -> None:
    """Ask the running service for the label of texts, and print its answer as JSON.

    Example: yupana ask complaints "No recogen la basura de mi calle hace una semana."
    """
    from yupana.client import Client
    from yupana.identity import local_key

    config = settings()
    address = url or f"http://127.0.0.1:{config.serve_port}"
    body = {"texts": [{"title": title, "text": one} for one in text]}
    key = local_key.of_service(config.platform_db, config.home, config.service_key, address)
    with Client(address, use_case, key, retries=0, timeout=60.0) as client:
        print(json.dumps(client.call("classify", body), ensure_ascii=False, indent=1))
