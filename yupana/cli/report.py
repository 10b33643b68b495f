"""Commands of the auditor's pages: `yupana report build`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from yupana.cli.common import AsJson


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    group = typer.Typer(no_args_is_help=True, help="The auditor's pages, which open offline.")
    group.command()(build)
    app.add_typer(group, name="report")


def build(
    use_case: Annotated[
        str, typer.Option(help="Of which use case; by default the only one with a card.")
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

    The same home on the same day gives the same bytes. What was not run is named with its command.

    Example: yupana report build --out /srv/audit --prediction 01a20e576ecb7ce7a4d41bd7ffc42142
    """
    from datetime import UTC

    from yupana.cli.lake import say_json
    from yupana.config.settings import settings
    from yupana.monitoring.site import build as site
    from yupana.monitoring.site.parts import Asked

    chosen = settings()
    when = (day or datetime.now(UTC)).date()
    asked = Asked(chosen, use_case or site.only_use_case(chosen), when, prediction)
    told = site.build(asked, out or chosen.reports / "site")
    if as_json:
        say_json(told)
        return
    for name, state in told["answers"].items():
        print(f"{name:<12} {state}")
    for command in told["missing"]:
        print(f"not run: {command}")
    print(f"page: {told['index']}")
