"""Commands that measure a published table and write a page: quality, profile."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yupana.cli.datasets.lake import AsOf, Name
from yupana.config.lazy import settings
from yupana.console import tables
from yupana.console.options import AsJson, say_json

if TYPE_CHECKING:
    from yupana.monitoring.profile_results import Profile


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (quality, profile):
        app.command()(command)


def quality(name: Name, as_of: AsOf = None, as_json: AsJson = False) -> None:
    """Measure readiness, completeness, usability and conformity; writes a page and JSON.

    Example: yupana quality DATASET
    """
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
    rows = []
    for i in report.indicators:
        # Rounded down: 100 is said only of what is whole.
        percent = "-" if i.percent is None else f"{int(i.percent * 10) / 10:.1f}"
        rows.append((i.id, percent, f"{i.numerator:,} of {i.denominator:,}", i.formula_en))
    title = f"{report.name}@{report.version}"
    tables.show("indicator", "%", "counted", "how", rows=rows, title=title)


def profile(
    name: Name,
    version: Annotated[int | None, typer.Option(help="A published version.")] = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Statistics and charts of a published table; writes a page and JSON.

    Counts under 5, what tells one, and columns that identify someone are left out: `range` goes
    from the fifth row to the fifth last, or over the values that are shown.

    Example: yupana profile DATASET --version 0
    """
    from yupana.monitoring import profile as profiles

    day = as_of.date() if as_of else None
    profile = profiles.profile(settings(), name, version=version, as_of=day)
    files = profiles.write(settings(), profile)
    if as_json:
        say_json({**profile.document(), "html": str(files.html), "json": str(files.json)})
        return
    _statistics(profile)
    print(f"page: {files.html}")


def _statistics(profile: Profile) -> None:
    rows = []
    for c in profile.columns:
        top = sorted((t for t in c.top or [] if t["count"]), key=lambda t: -t["count"])
        most = ", ".join(f"{t['value']} ({t['count']:,})" for t in top[:2])
        mean = f"{c.spread.mean:,.2f}" if c.spread and c.spread.mean is not None and c.unit else ""
        ends = c.ends
        edges = f"{ends.minimum} – {ends.maximum}" if ends and ends.minimum is not None else ""
        empty = "hidden" if c.filled.nulls is None else f"{c.filled.nulls:,}"
        rows.append((c.name, c.kind, empty, f"{c.distinct:,}", edges, mean, most))
    heads = ("column", "kind", "empty", "distinct", "range", "mean", "most common")
    tables.show(*heads, rows=rows)
    print(f"{profile.rows:,} rows; left out: {', '.join(profile.left_out) or 'nothing'}")
