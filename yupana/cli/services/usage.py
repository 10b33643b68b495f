"""Who uses the services, how much, how fast, and of which entities."""

from __future__ import annotations

import csv
import sys
from dataclasses import asdict, astuple
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson, say_json
from yupana.core.errors import UsageError

if TYPE_CHECKING:
    from yupana.predictions.usage_report import Figures, UsageReport

DAYS = 30
_COLUMNS = ("requests", "refused", "errors", "median_ms", "p95_ms")


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(usage)


def usage(
    agency: Annotated[str, typer.Option(help="Only of this agency.")] = "",
    model: Annotated[str, typer.Option(help="A use case, or a version: USE_CASE@3.")] = "",
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="From this day on (UTC); default: 30 days."),
    ] = None,
    as_json: AsJson = False,
    csv: Annotated[bool, typer.Option("--csv", help="One line a day as CSV on stdout.")] = False,
    chart: Annotated[Path | None, typer.Option(help="Draw requests a day into a PNG.")] = None,
) -> None:
    """Requests, errors and latency by day and agency, and the entities asked for most.

    Example: yupana usage --agency AGENCY --since 2026-01-01
    """
    from yupana.predictions.usage_report import report

    if as_json and csv:
        raise UsageError("JSON and CSV at once.", where="--json --csv", fix="Choose one.")
    start = since.date() if since else datetime.now(UTC).date() - timedelta(days=DAYS)
    statistics = report(settings().platform_db, start, agency, model)
    if chart:
        _draw(statistics, chart)
    if as_json:
        say_json(asdict(statistics))
    elif csv:
        _csv(statistics.days)
    else:
        _tables(statistics)


def _csv(days: list[Figures]) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["day", *_COLUMNS])
    out.writerows(astuple(day) for day in days)


def _tables(statistics: UsageReport) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    for first, figures in (("day", statistics.days), ("agency", statistics.agencies)):
        table = Table(first, *(column.replace("_", " ") for column in _COLUMNS))
        for row in figures:
            table.add_row(Text(row.name or "without a key"), *_cells(row))
        if first == "day":
            table.add_section()
            table.add_row("all", *_cells(statistics.total))
        console.print(table)
    entities = ", ".join(f"{e.entity} ({e.requests:,})" for e in statistics.entities)
    print(f"asked for most: {entities or 'none'}")


def _cells(row: Figures) -> list[str]:
    counts = [f"{n:,}" for n in (row.requests, row.refused, row.errors)]
    return counts + ["-" if ms is None else f"{ms:.1f}" for ms in (row.median_ms, row.p95_ms)]


def _draw(statistics: UsageReport, path: Path) -> None:
    import numpy as np

    from yupana.core import charts

    figure, axes = charts.blank(10.2, 2.9)
    days = np.array([row.name for row in statistics.days], dtype="datetime64[D]")
    axes.bar(days, [row.requests for row in statistics.days], color=charts.MAIN, label="requests")
    failed = [row.refused + row.errors for row in statistics.days]
    axes.bar(days, failed, color=charts.SECOND, label="refused or failed")
    axes.set_ylabel("requests a day")
    axes.set_title(f"{statistics.agency or 'all agencies'}, {statistics.model or 'all models'}")
    axes.xaxis_date()
    if len(days):
        axes.legend(frameon=False, ncols=2, loc="upper right", bbox_to_anchor=(1, 1.2))
    figure.savefig(path, format="png", dpi=150, metadata={"Software": None})
