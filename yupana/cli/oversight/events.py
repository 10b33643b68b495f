"""`yupana events`: the log of the steps as a file."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson, say


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    group = typer.Typer(no_args_is_help=True, help="The log of every step, done or failed.")
    group.command()(export)
    app.add_typer(group, name="events")


def export(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A JSON line an event; is replaced.")
    ],
    since: Annotated[
        datetime | None,
        typer.Option(metavar="DAY", formats=["%Y-%m-%d"], help="From this UTC day on."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the event log as JSON lines; say how many, and the SHA-256 of the file.

    Example: yupana events export events.jsonl
    """
    from yupana.core import whole_file
    from yupana.lineage import events

    first = since.date().isoformat() if since else ""
    number, total = 0, hashlib.sha256()
    with whole_file.replacing(file, "The log") as out:
        for _, body in events.numbered(settings().events, since=first):
            line = f"{body}\n".encode()
            total.update(line)
            out.write(line)
            number += 1
    sha256 = total.hexdigest()
    words = f"{file}: {number:,} events, SHA-256 {sha256}"
    say({"to": str(file), "events": number, "sha256": sha256}, words, as_json)
