"""Publish a real file and read back what became of its rows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from yupana.config.settings import Settings
from yupana.core.progress import Silent
from yupana.data.lake import delta
from yupana.lineage import events
from yupana.orchestration.ingest import ingest


@dataclass(frozen=True)
class Ingested:
    """Counts of the ingest, and its published and quarantined rows in the file's order."""

    counts: tuple[int, int, int]
    good: pl.DataFrame
    aside: pl.DataFrame

    @property
    def flags(self) -> dict[str, int]:
        """How often cleaning left each flag."""
        counts = self.good["quality_flags"].explode().drop_nulls().value_counts()
        return dict(counts.rows())


def publish(lake: Settings, name: str, path: Path | None) -> Ingested:
    """Ingest a file (None: the contract's own); its rows must add up."""
    rows = ingest(lake, name, str(path) if path else None, Silent()).metrics["rows"]
    good = delta.read(lake.table("published", name)).sort("source_line")
    aside = delta.read(lake.table("quarantine", name)).sort("source_line")
    assert rows["read"] == rows["published"] + rows["quarantined"]
    assert (len(good), len(aside)) == (rows["published"], rows["quarantined"])
    return Ingested((rows["read"], rows["published"], rows["quarantined"]), good, aside)


def whole_output(lake: Settings) -> str:
    """All that the lake's tables, their logs, the reports and the event log say, as one text."""
    texts = [repr(pl.read_parquet(p).rows()) for p in lake.lake.rglob("*.parquet")]
    texts += [json.dumps(event, ensure_ascii=False) for event in events.read(lake.events)]
    files = [*lake.lake.rglob("*.json"), *lake.reports.rglob("*.*")]
    return "\n".join([*texts, *(p.read_text() for p in files if p.is_file())])
