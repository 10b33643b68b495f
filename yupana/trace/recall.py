"""What a recalled file has touched: published versions, models, forecasts, and every prediction.

A version of a table is touched by a file when it holds rows of it: a file that came later may
have replaced them all. Where a version's files were cleaned away, it counts as touched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.core.hashing import file_sha256
from yupana.data.lake import delta, history, reading
from yupana.lineage import events
from yupana.predictions import lake_table
from yupana.predictions.entry import Basis
from yupana.trace import forward, provenance
from yupana.trace.index import Index

_KINDS = {
    "published": "delta:published/", "features": "delta:features/", "models": "model:",
    "deployments": "deployment:", "forecasts": "delta:forecasts/", "reports": "report:",
    "shared": "shared:",
}  # fmt: skip


@dataclass(frozen=True)
class Recall:
    """All that rests on what was recalled.

    Attributes:
        refs: every reference of the event log that is touched, the recalled one first.
        touch: tells which answers are (`trace_forward.Touch`).
    """

    ref: str
    refs: tuple[str, ...]
    touch: forward.Touch
    index: Index

    def of(self, kind: str) -> list[str]:
        """The references of a kind: published, features, models, deployments, …, shared."""
        return [ref for ref in self.refs if ref.startswith(_KINDS[kind])]

    def kinds(self) -> dict[str, list[str]]:
        """All of them, by kind."""
        return {kind: self.of(kind) for kind in _KINDS}


def recall(settings: Settings, what: str) -> Recall:
    """Walk forwards from a file or a reference.

    Args:
        what: a file (it is hashed), `raw:<sha256>`, the hash alone, a data set (`name@3`, or
            `name` for its newest version), or any reference of the event log.

    Raises:
        UsageError: the platform never saw it.
    """
    index = Index(settings.events)
    ref = reference(settings, what)
    if ref.startswith("raw:"):
        holding = _holding(settings, ref.removeprefix("raw:"))
        starts = [ref, *holding]
        refs = forward.dependents(index, starts, lambda new, _: new in holding)
    else:
        starts = [ref]
        refs = forward.dependents(index, starts)
    if len(starts) == 1 and not index.has(ref) and not _published(settings, ref):
        raise UsageError(
            f"The platform never saw '{ref}'.",
            where=events.WHERE,
            fix="Give the file itself, raw:<its SHA-256>, a data set such as NAME@3, "
            "or a reference that `yupana trace` prints.",
        )
    return Recall(ref, tuple(refs), forward.Touch(refs, index), index)


def reference(settings: Settings, what: str) -> str:
    """The reference that a recall or a trace is asked for."""
    if re.fullmatch(r"[0-9a-f]{64}", what):
        return f"raw:{what}"
    if name := provenance.version_name(settings, what):
        table = settings.table("published", name.dataset)
        publication = history.at_version(table, name.version)
        return f"delta:published/{name.dataset}@{publication.version}"
    if Path(what).is_file():
        return f"raw:{file_sha256(Path(what))}"
    return what


def _published(settings: Settings, ref: str) -> bool:
    if not ref.startswith("delta:published/"):
        return False
    _, name, version = delta.parts(ref)
    publications = history.publications(settings.table("published", name))
    return any(p.version == version for p in publications)


def _holding(settings: Settings, sha256: str) -> list[str]:
    """The published versions that hold rows of a file, of every table, oldest first."""
    versions = []
    for table in sorted((settings.lake / "published").glob("*")):
        since = False
        for p in history.publications(table):
            since = since or sha256 in p.sources
            if since and _holds(table, p, sha256):
                versions.append(f"delta:published/{table.name}@{p.version}")
    return versions


def _holds(table: Path, published: history.Publication, sha256: str) -> bool:
    import pyarrow.compute as pc
    from deltalake import DeltaTable

    if sha256 in published.sources:
        return True
    rows = reading.dataset(DeltaTable(table, version=published.tidy_version))
    if "source_sha256" not in rows.schema.names:
        return True
    try:
        return bool(rows.head(1, columns=[], filter=pc.field("source_sha256") == sha256).num_rows)
    except FileNotFoundError:
        return True


class ForecastRows(NamedTuple):
    """How many rows of a forecast table a model wrote for an origin (`data_as_of`)."""

    table: str
    use_case: str
    model_version: str
    data_as_of: str
    rows: int


def forecasts(settings: Settings, recall: Recall) -> Iterator[ForecastRows]:
    """Rows of the forecast tables that rest on it now, by table, model and origin."""
    from deltalake import DeltaTable

    for table in sorted((settings.lake / lake_table.FORECASTS).glob("*")):
        loaded = DeltaTable(str(table))
        rows = reading.dataset(loaded)
        if not {"model", "origin"} <= set(rows.schema.names):
            continue
        whole = rows.to_table(columns=["model", "origin"])
        counts = whole.group_by(["model", "origin"]).aggregate([([], "count_all")]).to_pylist()
        for row in sorted(counts, key=lambda row: (row["origin"], row["model"])):
            use_case, _, version = row["model"].removeprefix("model:").partition("@")
            ref = f"delta:forecasts/{table.name}@{loaded.version()}"
            basis = Basis(use_case, version, "", ref, str(row["origin"]))
            if recall.touch.through(basis):
                yield ForecastRows(
                    table.name, use_case, version, basis.data_as_of, row["count_all"]
                )
