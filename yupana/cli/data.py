"""Commands of the data engineer: data sets and their ingestion."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from yupana.cli.common import AsJson, emit


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(ingest)
    app.command()(datasets)


def ingest(
    name: Annotated[str, typer.Argument(help="A folder of expectations/.")],
    source: Annotated[Path | None, typer.Option(help="A file; default: the contract's.")] = None,
    as_json: AsJson = False,
) -> None:
    """Land, stage, audit and publish one file of a data set.

    Example: yupana ingest dengue_linelist --source cases.csv.gz
    """
    from yupana.config.settings import settings
    from yupana.core.progress import Lines
    from yupana.orchestration.ingest import ingest as run

    emit(run(settings(), name, source.resolve() if source else None, Lines()), as_json)


def datasets() -> None:
    """List the data sets that have a contract, and the version that is published.

    Example: yupana datasets
    """
    from rich.console import Console
    from rich.table import Table

    from yupana.config.settings import settings
    from yupana.data import contract, delta

    chosen = settings()
    table = Table("data set", "publisher", "licence", "version", "rows")
    for name in contract.names(chosen.root):
        about = contract.load(chosen.root, name)
        row = ("-", "-")
        if delta.exists(chosen.table("published", name)):
            found = delta.ref(chosen.lake, "published", name)
            row = (str(found.version), f"{found.rows:,}")
        table.add_row(name, about.publisher, about.licence, *row)
    Console().print(table)
