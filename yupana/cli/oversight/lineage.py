"""`yupana lineage`: every step as OpenLineage, to a server such as Marquez or to a file."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson, say, say_json
from yupana.core.errors import UsageError
from yupana.core.progress import Lines


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    ours = typer.Typer(no_args_is_help=True, help="Lineage for Marquez, OpenMetadata and others.")
    ours.command()(send)
    ours.command()(status)
    ours.command()(export)
    app.add_typer(ours, name="lineage")


def send(as_json: AsJson = False) -> None:
    """Send what waits to the server and the file of YUPANA_OPENLINEAGE_URL and …_FILE.

    Each step wakes it by itself; by hand it is needed after a server was away for long.

    Example: yupana lineage send
    """
    from yupana.trace.openlineage import sending

    config = settings()
    if not config.openlineage_url and not config.openlineage_file:
        raise _nowhere()
    # Beside a step that is at work, it takes what is left of the processor.
    os.nice(10)
    targets = [
        {"to": c.to, "events": c.lines, "refused": c.refused} for c in sending.send(config, Lines())
    ]
    if as_json:
        say_json(targets)
        return
    for one in targets:
        print(f"{one['to']}: {one['events']:,} events told, {one['refused']:,} refused")
    if not targets:
        print("another sender is about to do it")


def status(as_json: AsJson = False) -> None:
    """How far each receiver was told, and what waits.

    Example: yupana lineage status
    """
    from yupana.lineage import events
    from yupana.trace.openlineage import sending, targets

    config = settings()
    last = events.last_number(config.events)
    cursors = [sending.read(config, t.label) for t in targets.of_settings(config)]
    if not cursors:
        raise _nowhere()
    receivers = [{**asdict(cursor), "waiting": last - cursor.event} for cursor in cursors]
    if as_json:
        say_json(receivers)
        return
    for one in receivers:
        print(
            f"{one['to']}: {one['lines']:,} events told, {one['refused']:,} refused, "
            f"{one['waiting']:,} events of the log wait"
        )


def export(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A JSON line an event; is replaced.")
    ] = None,
    url: Annotated[str, typer.Option(metavar="URL", help="A server: http://marquez:5000.")] = "",
    as_json: AsJson = False,
) -> None:
    """Tell the whole event log, whatever was told before: to a file, or to a server.

    The same log gives the same runs: a server that knows them already gets nothing twice.

    Example: yupana lineage export lineage.jsonl
    """
    from yupana.trace.openlineage import sending, targets

    if (file is None) == (not url):
        raise UsageError(
            "Say where to: a file, or --url.",
            where="yupana lineage export",
            fix="yupana lineage export lineage.jsonl, or yupana lineage export --url http://…",
        )
    config = settings()
    if file:
        aside = file.with_name(f".{file.name}.part")
        aside.unlink(missing_ok=True)
        cursor = sending.export(config, targets.of_file(aside))
        if cursor.lines:
            aside.replace(file)
    else:
        cursor = sending.export(config, targets.of_url(url, config.openlineage_key))
    facts = {"to": str(file or cursor.to), "events": cursor.lines, "refused": cursor.refused}
    say(facts, f"{facts['to']}: {cursor.lines:,} events told, {cursor.refused:,} refused", as_json)


def _nowhere() -> UsageError:
    return UsageError(
        "Nobody is to be told.",
        where="YUPANA_OPENLINEAGE_URL",
        fix="Set it to a server, or YUPANA_OPENLINEAGE_FILE to a file; "
        "`yupana lineage export FILE` writes all of it once.",
    )
