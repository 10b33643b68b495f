"""Commands of the auditor's pages: `yupana report build`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson, of_use_case, say_json


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    group = typer.Typer(no_args_is_help=True, help="The auditor's pages, which open offline.")
    group.command()(build)
    app.add_typer(group, name="report")


def build(
    use_case: Annotated[
        str,
        typer.Option(
            help="Of which use case; by default the only one with a card.", callback=of_use_case
        ),
    ] = "",
    out: Annotated[
        Path | None, typer.Option(help="Folder of the site; by default reports/site in the home.")
    ] = None,
    prediction: Annotated[
        str, typer.Option(help="The prediction whose trace is drawn; by default the newest.")
    ] = "",
    day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Judge the age of evidence as of this day."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the pages: does the model hold, for whom not, may it be used, is the record whole.

    What was not run is named with its command. The same home on the same day gives the same bytes;
    each build is a step of its own, whose event vouches for the pages, and the next one counts it.

    Example: yupana report build --out /srv/audit --prediction 01a20e576ecb7ce7a4d41bd7ffc42142
    """
    from yupana.core import private_file
    from yupana.lineage import events
    from yupana.monitoring.site import build as builder
    from yupana.monitoring.site.parts import SiteRequest

    config = settings()
    when = (day or datetime.now(UTC)).date()
    request = SiteRequest(config, use_case or builder.only_use_case(config), when, prediction)
    with private_file.shared():
        site = builder.build(request, out or config.reports / "site")
    events.append(
        config, "report", request.use_case, status="done", files=(site.index.parent,)
    )
    if as_json:
        say_json(site.to_json())
        return
    for name, state in site.answers.items():
        print(f"{name:<12} {state}")
    for command in site.missing:
        print(f"not run: {command}")
    print(f"page: {site.index}")
