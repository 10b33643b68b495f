"""Who uses the services, how much, how fast, and for which districts."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from yupana.cli.common import AsJson
from yupana.cli.lake import say_json

DAYS = 30
_COLUMNS = ("requests", "refused", "errors", "median_ms", "p95_ms")


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(usage)


def usage(
    agency: Annotated[str, typer.Option(help="Only of this agency.")] = "",
    model: Annotated[str, typer.Option(help="A use case, or a version: outbreak@3.")] = "",
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="From this day on (UTC); default: 30 days."),
    ] = None,
    as_json: AsJson = False,
    csv: Annotated[bool, typer.Option("--csv", help="One line a day as CSV on stdout.")] = False,
    chart: Annotated[Path | None, typer.Option(help="Draw requests a day into a PNG.")] = None,
) -> None:
    """Requests, errors and latency by day and agency, and the districts asked for most.

    Example: yupana usage --agency "DIRESA Loreto" --since 2026-01-01
    """
    from datetime import UTC, timedelta

    from yupana.config.settings import settings
    from yupana.core.errors import UsageError
    from yupana.governance.usage_report import report

    if as_json and csv:
        raise UsageError("JSON and CSV at once.", where="--json --csv", fix="Choose one.")
    start = since.date() if since else datetime.now(UTC).date() - timedelta(days=DAYS)
    found = report(settings().platform_db, start, agency, model)
    if chart:
        _draw(found, chart)
    if as_json:
        say_json(found)
    elif csv:
        _csv(found["days"])
    else:
        _tables(found)


def _csv(days: list[dict[str, Any]]) -> None:
    import csv
    import sys

    out = csv.DictWriter(sys.stdout, ["day", *_COLUMNS], lineterminator="\n")
    out.writeheader()
    out.writerows(days)


def _tables(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    for group, first in (("days", "day"), ("agencies", "agency")):
        table = Table(first, *(column.replace("_", " ") for column in _COLUMNS))
        for row in found[group]:
            table.add_row(Text(row[first] or "without a key"), *_cells(row))
        if group == "days":
            table.add_section()
            table.add_row("all", *_cells(found["total"]))
        console.print(table)
    told = ", ".join(f"{d['ubigeo']} ({d['asked']:,})" for d in found["districts"])
    print(f"districts asked for most: {told or 'none'}")


def _cells(row: dict[str, Any]) -> list[str]:
    counts = [f"{row[c]:,}" for c in _COLUMNS[:3]]
    return counts + ["-" if row[c] is None else f"{row[c]:.1f}" for c in _COLUMNS[3:]]


def _draw(found: dict[str, Any], path: Path) -> None:
    import numpy as np

    from yupana.core import charts

    figure, axes = charts.blank(10.2, 2.9)
    days = np.array([row["day"] for row in found["days"]], dtype="datetime64[D]")
    axes.bar(days, [row["requests"] for row in found["days"]], color=charts.MAIN, label="requests")
    failed = [row["refused"] + row["errors"] for row in found["days"]]
    axes.bar(days, failed, color=charts.SECOND, label="refused or failed")
    axes.set_ylabel("requests a day")
    axes.set_title(f"{found['agency'] or 'all agencies'}, {found['model'] or 'all models'}")
    axes.xaxis_date()
    if len(days):
        axes.legend(frameon=False, ncols=2, loc="upper right", bbox_to_anchor=(1, 1.2))
    figure.savefig(path, format="png", dpi=150, metadata={"Software": None})
