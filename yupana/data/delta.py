"""Delta tables without a JVM: history, versions and reads by delta-rs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.core.errors import TerminalError
from yupana.core.types import DatasetRef
from yupana.data import reading

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa


def commit_metadata(**facts: Any) -> str:
    """Facts to store in a Delta commit (`userMetadata`), as canonical JSON."""
    return json.dumps(facts, sort_keys=True, default=str)


def exists(table: Path) -> bool:
    """Whether the folder holds a Delta table with a commit."""
    return any((table / "_delta_log").glob("*.json"))


def version_of(table: Path) -> int:
    """The newest version.

    Raises:
        TerminalError: there is no such table.
    """
    from deltalake import DeltaTable

    return int(DeltaTable(_must_exist(table)).version())


def commit_facts(table: Path, version: int | None = None) -> dict[str, Any]:
    """What `commit_metadata` stored at a version (default: the newest)."""
    from deltalake import DeltaTable

    wanted = version_of(table) if version is None else version
    for commit in DeltaTable(_must_exist(table)).history():
        if commit.get("version") == wanted:
            facts: dict[str, Any] = json.loads(commit.get("userMetadata") or "{}")
            return facts
    raise TerminalError(
        f"The table has no version {wanted} in its log.",
        where=str(table),
        fix="Look at `yupana datasets` for the versions there are.",
    )


def read(table: Path, version: int | None = None) -> pl.DataFrame:
    """All rows of one version as a Polars frame (default: the newest)."""
    from deltalake import DeltaTable

    return reading.frame(DeltaTable(_must_exist(table), version=version))


def count(table: Path, *sources: str) -> int:
    """How many rows of the newest version came from these source files, by their SHA-256."""
    import pyarrow.compute as pc
    from deltalake import DeltaTable

    rows = reading.dataset(DeltaTable(_must_exist(table)))
    return int(rows.count_rows(filter=pc.field("source_sha256").isin(sources)))


def parts(ref: str) -> tuple[str, str, int]:
    """Zone, name and version of a reference `delta:<zone>/<name>@<version>`."""
    zone, rest = ref.removeprefix("delta:").split("/")
    name, version = rest.split("@")
    return zone, name, int(version)


def ref(lake: Path, zone: str, name: str) -> DatasetRef:
    """The newest version of a table, as a reference with its row count."""
    from deltalake import DeltaTable

    table = lake / zone / name
    loaded = DeltaTable(_must_exist(table))
    return DatasetRef(
        zone=zone, name=name, version=int(loaded.version()), path=str(table), rows=loaded.count()
    )


def replace(
    lake: Path, zone: str, name: str, rows: pa.Table, same: str, inputs: Sequence[str]
) -> DatasetRef:
    """Put rows in place of those that `same` (an SQL condition) tells: a re-run changes nothing.

    A table of an earlier release gets the new columns, empty in its older rows.

    Args:
        inputs: references of what the rows were made from, kept in the commit.
    """
    from deltalake import CommitProperties, write_deltalake

    path = lake / zone / name
    path.parent.mkdir(parents=True, exist_ok=True)
    facts = {"userMetadata": commit_metadata(inputs=inputs)}
    write_deltalake(
        str(path), rows, mode="overwrite", schema_mode="merge",
        predicate=same if exists(path) else None,
        commit_properties=CommitProperties(custom_metadata=facts),
    )  # fmt: skip
    return ref(lake, zone, name)


def _must_exist(table: Path) -> str:
    if not exists(table):
        raise TerminalError(
            "There is no Delta table here yet.",
            where=str(table),
            fix=f"Run `yupana ingest {table.name}` (or `make run`) first.",
        )
    return str(table)
