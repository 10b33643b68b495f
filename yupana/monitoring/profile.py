"""Profile a published table: statistics and charts as JSON and a page that opens offline.

Drawn here and not by Evidently: its summary page is in English only, 4 MB of script for any
table, takes twice as long to import as this takes to run, and cannot leave out small cells.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.core import whole_file
from yupana.core.errors import UsageError
from yupana.data.contracts import contract as contracts
from yupana.data.contracts.contract import Contract
from yupana.data.lake import history, reading
from yupana.data.lake.history import Publication
from yupana.monitoring import over_time, statistics
from yupana.monitoring.profile_results import Files, Profile

if TYPE_CHECKING:
    import polars as pl


def profile(
    settings: Settings, name: str, *, version: int | None = None, as_of: date | None = None
) -> Profile:
    """Describe one version: the newest, a given one, or the one that was known on a day.

    Raises:
        UsageError: no such data set or version, or both `version` and `as_of`.
        TerminalError: it was never ingested.
    """
    if version is not None and as_of:
        raise UsageError(
            "A version and a date were asked for.", where="profile", fix="Give one of the two."
        )
    contract = contracts.load(settings.root, name)
    table = settings.table("published", name)
    publication = history.known_as_of(table, as_of) if as_of else history.at_version(table, version)
    rows = _rows(settings, contract, publication)
    columns, left_out = _public_columns(contract, rows)
    return Profile(
        name=name,
        title=contract.title,
        publisher=contract.publisher,
        ref=f"delta:published/{name}@{publication.version}",
        version=publication.version,
        known_on=str(publication.known_on),
        source=publication.source,
        source_sha256=publication.source_sha256,
        rows=len(rows),
        left_out=left_out,
        time=over_time.table(contract, publication, rows),
        columns=tuple(
            statistics.describe(rows[c], column, _from_personal(contract, c))
            for c, column in columns.items()
        ),
    )


def write(settings: Settings, profile: Profile) -> Files:
    """Write a profile's page and its JSON into the reports."""
    from yupana.core import page

    stem = settings.reports / "profile" / f"{profile.name}-v{profile.version}"
    document = profile.document()
    path = page.write(
        stem.with_suffix(".html"),
        "monitoring/profile.html",
        p=document,
        columns=[{**column, "chart": _chart(column)} for column in document["columns"]],
        charts=over_time.charts(profile.time) if profile.time else [],
    )
    return Files(path, whole_file.write_json(stem.with_suffix(".json"), document))


def _rows(settings: Settings, contract: Contract, publication: Publication) -> pl.DataFrame:
    """The contract's columns that are not personal, of those that the version has."""
    import polars as pl
    from deltalake import DeltaTable

    table = settings.table("published", contract.name)
    delta_table = DeltaTable(table, version=publication.tidy_version)
    there = {field.name for field in delta_table.schema().fields}
    names = [c.name for c in contract.table_columns if c.name in there and not c.personal]
    if not names:
        return pl.DataFrame({"_": range(delta_table.count())})
    return reading.frame(delta_table, names)


def _public_columns(
    contract: Contract, rows: pl.DataFrame
) -> tuple[dict[str, Any], dict[str, str]]:
    """Columns to describe, and why the others are not."""
    columns: dict[str, Any] = {}
    left_out = {"source_sha256": "origin", "source_line": "origin"}
    for column in contract.table_columns:
        if column.personal:
            left_out[column.name] = "personal"
        elif column.name not in rows.columns:
            left_out[column.name] = "not in this version"
        elif statistics.identifies(rows[column.name], column):
            left_out[column.name] = "identifier"
        else:
            columns[column.name] = column
    return columns, left_out


def _from_personal(contract: Contract, name: str) -> bool:
    by_name = {c.name: c for c in contract.columns}
    return any(by_name[o].personal for o in by_name[name].derive_from if o in by_name)


def _chart(column: dict[str, Any]) -> str:
    """A picture of a column's values; empty when there is nothing that may be shown."""
    from yupana.core import charts

    if column["distinct"] < 2:
        return ""
    what = f"{column['name']}: filas por valor"
    if "histogram" in column:
        h = column["histogram"]
        if len(h["counts"]) < 2 or not any(h["counts"]):
            return ""
        return charts.histogram(h["edges"], h["counts"], column["unit"], what)
    top = [t for t in column.get("top", []) if t["count"]]
    if column["kind"] == "whole" and len(top) > statistics.TOP:
        # A value that is hidden, or that no row has, is a gap.
        counts = {int(t["value"]): t["count"] for t in top}
        edges = [edge for v in counts for edge in ((v,) if v + 1 in counts else (v, v + 1))]
        return charts.histogram(edges, [counts.get(e, 0) for e in edges[:-1]], column["unit"], what)
    return charts.bars([t["value"] for t in top], [t["count"] for t in top], what) if top else ""
