"""Commands of the data engineer: ingestion."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from yupana.cli.common import AsJson, emit


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(ingest)


def ingest(
    name: Annotated[str, typer.Argument(help="A folder of expectations/.")],
    source: Annotated[
        str | None,
        typer.Option(
            help="A path, a URL, or ckan+https://… / dkan+https://…; default: the contract's."
        ),
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The date on which this file was what was known."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fetch, stage, audit and publish one file of a data set.

    A file that is published already changes nothing. With --json the last line holds rows
    {read, published, quarantined}, version, source_sha256 and seconds.

    Example: yupana ingest dengue_linelist --source cases.csv.gz --as-of 2021-12-31
    """
    from yupana.config.settings import settings
    from yupana.core.progress import Lines
    from yupana.orchestration.ingest import ingest as run

    known = as_of.date() if as_of else None
    if source and "://" not in source and not source.startswith("codelist:"):
        source = str(Path(source).resolve())
    emit(run(settings(), name, source, Lines(), as_of=known), as_json)
