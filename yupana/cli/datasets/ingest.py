"""Commands of the data engineer: ingestion."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from yupana.cli.datasets import releases
from yupana.config.lazy import settings
from yupana.console import options
from yupana.console.options import AsJson, emit
from yupana.core.progress import Lines


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(ingest)


def ingest(
    name: Annotated[str, typer.Argument(help="A folder of expectations/.")],
    source: Annotated[
        str | None,
        typer.Option(
            help="A path, a folder, a pattern (cases_*.csv, cases_{date}.csv), a URL, or "
            "ckan+https://… / dkan+https://…; default: the contract's."
        ),
    ] = None,
    as_of: Annotated[
        datetime | None, options.as_of("The date on which this file was what was known.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The first day of a source with {date}."),
    ] = None,
    accept_change: Annotated[
        str | None,
        typer.Option(
            metavar="WHY", help="Publish a change over the contract's bounds, or a retracted file."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fetch, stage, audit and publish a data set's file, or all files that its source means.

    What is published already changes nothing. Of several files a bad one is refused, the others
    go on, and the exit code is 1. A release is compared with the one before: over a bound of the
    contract (`change`) it stops for a person. With --json the last line holds rows {read,
    published, quarantined}, set_aside, change, version, source_sha256 and seconds, and of several
    files how many were what.

    Example: yupana ingest DATASET --source FILE.csv.gz --as-of 2021-12-31

    Example: yupana ingest DATASET --source 'inbox/file_{date}.csv'

    Example: yupana ingest DATASET --accept-change "duplicates taken out by the agency"
    """
    from yupana.orchestration.ingest import ingest as run
    from yupana.orchestration.many import SomeRefusedError

    day = as_of.date() if as_of else None
    if source and "://" not in source and not source.startswith("codelist:"):
        source = str(Path(source).resolve())
    first = since.date() if since else None
    try:
        result = run(
            settings(), name, source, Lines(), as_of=day, since=first, accept=accept_change
        )
    except SomeRefusedError as error:
        emit(error.result, as_json)
        raise
    emit(result, as_json)
    if not as_json:
        releases.closing(result)
