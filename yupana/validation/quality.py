"""Measure a published version: readiness, completeness, usability, conformity; page and JSON.

Counts alone are read and shown, never the value of a record.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from yupana.config.settings import Settings
from yupana.core import whole_file
from yupana.core.types import Frozen
from yupana.data.contracts import contract as contracts
from yupana.data.contracts.contract import Contract
from yupana.data.lake import history
from yupana.data.lake.history import Publication
from yupana.validation import indicators, periods, standards
from yupana.validation.counts import Counts, RuleChecks
from yupana.validation.indicators import Indicator, Ratio

_TREND = 12


class ColumnQuality(Frozen):
    """A column's share in the indicators; `checks` are those of the rules on this column."""

    name: str
    published: str | None
    required: bool
    cells: int
    filled: int
    checks: int
    kept: int
    flagged: int


class Point(Frozen):
    """The indicators of one publication, 0-100; None where its audit is no longer kept."""

    version: int
    known_on: date
    completeness: float | None
    usability: float | None
    conformity: float | None


class Quality(Frozen):
    """What `measure` found."""

    name: str
    title: str
    publisher: str
    ref: str
    version: int
    as_of: date
    known_on: date
    source: str
    source_sha256: str
    validation: str
    rows: int
    first_period: date | None
    last_period: date | None
    gaps: tuple[tuple[date, date], ...]
    indicators: tuple[Indicator, ...]
    columns: tuple[ColumnQuality, ...]
    rules: tuple[RuleChecks, ...]
    trend: tuple[Point, ...]


def measure(settings: Settings, name: str, as_of: date) -> Quality:
    """The indicators of the version that was known on a day.

    Raises:
        UsageError: no such data set, or nothing was known on that day.
        TerminalError: it was never ingested; says the command.
    """
    contract = contracts.load(settings.root, name)
    table = settings.table("published", name)
    publication = history.known_as_of(table, as_of)
    order = history.published_versions(table)
    earlier = order[: order.index(publication) + 1]
    counts = Counts(settings, contract, publication, earlier)
    days = counts.days()
    coverage = periods.coverage(days)
    rules = counts.rules()
    return Quality(
        name=name,
        title=contract.title,
        publisher=contract.publisher,
        ref=f"delta:published/{name}@{publication.version}",
        version=publication.version,
        as_of=as_of,
        known_on=publication.known_on,
        source=publication.source,
        source_sha256=publication.source_sha256,
        validation=publication.validation,
        rows=counts.rows,
        first_period=days[0] if days else None,
        last_period=days[-1] if days else None,
        gaps=coverage.gaps,
        indicators=(
            indicators.readiness(contract, publication, as_of, days[-1] if days else None),
            indicators.completeness(counts.cells(), coverage.periods),
            indicators.usability(counts.rows, counts.flagged_rows, counts.quarantined),
            indicators.conformity(_total(rules), standards.score(settings.root, name)),
        ),
        columns=tuple(_column(contract, counts, rules)),
        rules=tuple(rules),
        trend=tuple(_trend(settings, contract, earlier)),
    )


def _total(rules: list[RuleChecks]) -> Ratio:
    return Ratio(sum(r.kept for r in rules), sum(r.made for r in rules))


def _column(contract: Contract, counts: Counts, rules: list[RuleChecks]) -> list[ColumnQuality]:
    findings = []
    for c in contract.table_columns:
        if c.name not in counts.nulls:
            continue
        mine = [r for r in rules if r.column == c.name]
        findings.append(
            ColumnQuality(
                name=c.name,
                published=c.published,
                required=c.required or c.name in contract.key,
                cells=counts.rows,
                filled=counts.rows - counts.nulls[c.name],
                checks=sum(r.made for r in mine),
                kept=sum(r.kept for r in mine),
                flagged=counts.flags[c.name],
            )
        )
    return findings


def _trend(settings: Settings, contract: Contract, earlier: list[Publication]) -> list[Point]:
    points = []
    for number, publication in list(enumerate(earlier))[-_TREND:]:
        counts = Counts(settings, contract, publication, earlier[: number + 1])
        coverage = periods.coverage(counts.days())
        rules = counts.rules()
        usable = indicators.usability(counts.rows, counts.flagged_rows, counts.quarantined)
        points.append(
            Point(
                version=publication.version,
                known_on=publication.known_on,
                completeness=indicators.completeness(counts.cells(), coverage.periods).percent,
                usability=usable.percent,
                conformity=indicators.conformity(_total(rules), Ratio(0, 0)).percent,
            )
        )
    return points


def write(settings: Settings, quality: Quality) -> dict[str, str]:
    """Write the page and the JSON; returns their paths as `html` and `json`."""
    from yupana.core import charts, page

    folder = settings.reports / "quality"
    chart = ""
    if len(quality.trend) > 1:
        series: dict[str, Sequence[float | None]] = {
            "Completitud / completeness": [p.completeness for p in quality.trend],
            "Utilidad / usability": [p.usability for p in quality.trend],
            "Reglas / rules": [p.conformity for p in quality.trend],
        }
        versions = [f"@{p.version}\n{p.known_on}" for p in quality.trend]
        chart = charts.lines(versions, series, "%", "Indicadores por versión publicada")
    path = page.write(
        folder / f"{quality.name}.html", "validation/quality.html", q=quality, chart=chart
    )
    facts = whole_file.write_json(path.with_suffix(".json"), quality.model_dump(mode="json"))
    return {"html": str(path), "json": str(facts)}
