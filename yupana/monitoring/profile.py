"""Profile a published table: statistics and charts as JSON and a page that opens offline.

Drawn here and not by Evidently: its summary page is in English only, 4 MB of script for any
table, takes twice as long to import as this takes to run, and cannot leave out small cells.
"""

from __future__ import annotations

import json
import os
from datetime import date
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.data import contract as contracts
from yupana.data import history, reading
from yupana.data.contract import Contract
from yupana.data.history import Publication
from yupana.monitoring import over_time, statistics

if TYPE_CHECKING:
    import polars as pl


def profile(
    settings: Settings, name: str, *, version: int | None = None, as_of: date | None = None
) -> dict[str, Any]:
    """Describe one version: the newest, a given one, or the one that was known on a day.

    Returns:
        name, title, ref, version, known_on, rows, left_out (column → why), time
        (`over_time.table`; None without a time axis), columns (`statistics.describe`), and the
        paths html and json.

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
    known = history.known_as_of(table, as_of) if as_of else history.at_version(table, version)
    rows = _rows(settings, contract, known)
    shown, left_out = _shown(contract, rows)
    found: dict[str, Any] = {
        "name": name,
        "title": contract.title,
        "publisher": contract.publisher,
        "ref": f"delta:published/{name}@{known.version}",
        "version": known.version,
        "known_on": str(known.known_on),
        "source": known.source,
        "source_sha256": known.source_sha256,
        "rows": len(rows),
        "left_out": left_out,
        "time": over_time.table(contract, known, rows),
        "columns": [
            statistics.describe(rows[c], column, _from_personal(contract, c))
            for c, column in shown.items()
        ],
    }
    return {**found, **_write(settings, found)}


def _rows(settings: Settings, contract: Contract, known: Publication) -> pl.DataFrame:
    """The contract's columns that are not personal, of those that the version has."""
    import polars as pl
    from deltalake import DeltaTable

    loaded = DeltaTable(settings.table("published", contract.name), version=known.tidy_version)
    there = {field.name for field in loaded.schema().fields}
    names = [c.name for c in contract.kept if c.name in there and not c.personal]
    if not names:
        return pl.DataFrame({"_": range(loaded.count())})
    return reading.frame(loaded, names)


def _shown(contract: Contract, rows: pl.DataFrame) -> tuple[dict[str, Any], dict[str, str]]:
    """Columns to describe, and why the others are not."""
    shown: dict[str, Any] = {}
    left_out = {"source_sha256": "origin", "source_line": "origin"}
    for column in contract.kept:
        if column.personal:
            left_out[column.name] = "personal"
        elif column.name not in rows.columns:
            left_out[column.name] = "not in this version"
        elif statistics.identifies(rows[column.name], column):
            left_out[column.name] = "identifier"
        else:
            shown[column.name] = column
    return shown, left_out


def _from_personal(contract: Contract, name: str) -> bool:
    by_name = {c.name: c for c in contract.columns}
    return any(by_name[o].personal for o in by_name[name].derive_from if o in by_name)


def _write(settings: Settings, found: dict[str, Any]) -> dict[str, str]:
    from yupana.core import page

    stem = settings.reports / "profile" / f"{found['name']}-v{found['version']}"
    drawn = [{**c, "chart": _chart(c)} for c in found["columns"]]
    path = page.write(
        stem.with_suffix(".html"),
        "monitoring/profile.html",
        p=found,
        columns=drawn,
        charts=over_time.charts(found["time"]) if found["time"] else [],
    )
    facts = stem.with_suffix(".json")
    partial = facts.with_name(f".{facts.name}.{os.getpid()}")
    partial.write_text(json.dumps(found, ensure_ascii=False, indent=1), encoding="utf-8")
    partial.rename(facts)
    return {"html": str(path), "json": str(facts)}


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
    if len(column.get("top", [])) > statistics.TOP:
        values = [float(t["value"]) for t in column["top"]]
        edges = [*values, values[-1] + 1]
        return charts.histogram(edges, [t["count"] for t in column["top"]], column["unit"], what)
    return charts.bars([t["value"] for t in top], [t["count"] for t in top], what) if top else ""
