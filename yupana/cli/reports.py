"""Commands that measure a published table and write a page: quality, profile."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from yupana.cli.common import AsJson
from yupana.cli.lake import AsOf, Name, say_json


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (quality, profile):
        app.command()(command)


def quality(name: Name, as_of: AsOf = None, as_json: AsJson = False) -> None:
    """Measure readiness, completeness, usability and conformity; writes a page and JSON.

    Example: yupana quality dengue_linelist
    """
    from datetime import UTC

    from yupana.config.settings import settings
    from yupana.validation import quality as indicators

    day = as_of.date() if as_of else datetime.now(UTC).date()
    report = indicators.measure(settings(), name, day)
    paths = indicators.write(settings(), report)
    if as_json:
        say_json({**report.model_dump(mode="json"), **paths})
        return
    _indicators(report)
    print(f"page: {paths['html']}")


def _indicators(report: Any) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("indicator", "%", "counted", "how", title=f"{report.name}@{report.version}")
    for i in report.indicators:
        # Rounded down: 100 is said only of what is whole.
        percent = "-" if i.percent is None else f"{int(i.percent * 10) / 10:.1f}"
        table.add_row(i.id, percent, f"{i.numerator:,} of {i.denominator:,}", i.formula_en)
    Console().print(table)


def profile(
    name: Name,
    version: Annotated[int | None, typer.Option(help="A published version.")] = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Statistics and charts of a published table; writes a page and JSON.

    Counts under 5 and columns that identify someone are left out.

    Example: yupana profile dengue_linelist --version 0
    """
    from yupana.config.settings import settings
    from yupana.monitoring import profile as profiles

    day = as_of.date() if as_of else None
    found = profiles.profile(settings(), name, version=version, as_of=day)
    if as_json:
        say_json(found)
        return
    _statistics(found)
    print(f"page: {found['html']}")


def _statistics(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("column", "kind", "empty", "distinct", "range", "mean", "most common")
    for c in found["columns"]:
        top = sorted((t for t in c.get("top", []) if t["count"]), key=lambda t: -t["count"])
        most = ", ".join(f"{t['value']} ({t['count']:,})" for t in top[:2])
        mean = f"{c['mean']:,.2f}" if c.get("mean") is not None and c["unit"] else ""
        edges = f"{c['minimum']} – {c['maximum']}" if "minimum" in c else ""
        cells = (c["name"], c["kind"], f"{c['nulls']:,}", f"{c['distinct']:,}", edges, mean, most)
        table.add_row(*(Text(cell) for cell in cells))
    Console().print(table)
    print(f"{found['rows']:,} rows; left out: {', '.join(found['left_out']) or 'nothing'}")
