"""What a recalled file has touched: published versions, models, forecasts, and every prediction.

A version of a table is touched by a file when it holds rows of it: a file that came later may
have replaced them all. Where a version's files were cleaned away, it counts as touched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.core.hashing import file_sha256
from yupana.data import delta, history, prediction_table, provenance, reading
from yupana.governance import trace_forward
from yupana.governance.trace_index import Index

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
    touch: trace_forward.Touch
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
        refs = trace_forward.touched(index, starts, lambda new, _: new in holding)
    else:
        starts = [ref]
        refs = trace_forward.touched(index, starts)
    if len(starts) == 1 and not index.named(ref) and not _published(settings, ref):
        raise UsageError(
            f"The platform never saw '{ref}'.",
            where=str(settings.events),
            fix="Give the file itself, raw:<its SHA-256>, a data set such as dengue_linelist@3, "
            "or a reference that `yupana trace` prints.",
        )
    return Recall(ref, tuple(refs), trace_forward.Touch(refs, index), index)


def reference(settings: Settings, what: str) -> str:
    """The reference that a recall or a trace is asked for."""
    if re.fullmatch(r"[0-9a-f]{64}", what):
        return f"raw:{what}"
    if dataset := provenance.named(settings, what):
        table = settings.table("published", dataset[0])
        return f"delta:published/{dataset[0]}@{history.at_version(table, dataset[1]).version}"
    if Path(what).is_file():
        return f"raw:{file_sha256(Path(what))}"
    return what


def _published(settings: Settings, ref: str) -> bool:
    if not ref.startswith("delta:published/"):
        return False
    _, name, version = delta.parts(ref)
    known = history.publications(settings.table("published", name))
    return any(p.version == version for p in known)


def _holding(settings: Settings, sha256: str) -> list[str]:
    """The published versions that hold rows of a file, of every table, oldest first."""
    found = []
    for table in sorted((settings.lake / "published").glob("*")):
        since = False
        for p in history.publications(table):
            since = since or sha256 in p.sources
            if since and _holds(table, p, sha256):
                found.append(f"delta:published/{table.name}@{p.version}")
    return found


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


def forecasts(settings: Settings, found: Recall) -> Iterator[dict[str, Any]]:
    """Rows of the forecast tables that rest on it now, by table, model and origin.

    Returns:
        `table`, `use_case`, `model_version`, `data_as_of` (the origin) and `rows`.
    """
    from deltalake import DeltaTable

    for table in sorted((settings.lake / prediction_table.FORECASTS).glob("*")):
        loaded = DeltaTable(str(table))
        rows = reading.dataset(loaded)
        if not {"model", "origin"} <= set(rows.schema.names):
            continue
        whole = rows.to_table(columns=["model", "origin"])
        counts = whole.group_by(["model", "origin"]).aggregate([([], "count_all")]).to_pylist()
        for row in sorted(counts, key=lambda row: (row["origin"], row["model"])):
            use_case, _, version = row["model"].removeprefix("model:").partition("@")
            asked = {
                "use_case": use_case, "model_version": version, "data_as_of": str(row["origin"]),
                "features_ref": f"delta:forecasts/{table.name}@{loaded.version()}",
            }  # fmt: skip
            if found.touch.through(asked):
                del asked["features_ref"]
                yield {"table": table.name, **asked, "rows": row["count_all"]}
