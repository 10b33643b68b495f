"""Delta tables without a JVM: history, versions and reads by delta-rs."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from yupana.core.errors import TerminalError
from yupana.core.types import DatasetRef
from yupana.data.lake import reading

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


def commits(table: Path) -> list[Commit]:
    """All commits in the table's log, oldest first; empty where there is no table.

    A commit never changes, so that a process reads each one once: a stream that asks after every
    batch reads one commit, not all of them.
    """
    from deltalake import DeltaTable

    if not exists(table):
        return []
    loaded = DeltaTable(str(table))
    # A table that was removed and made anew at the same place has another id.
    before = _read_before(str(table), str(loaded.metadata().id))
    with before.lock:
        newest = int(loaded.version())
        before.commits[:] = (commit for commit in before.commits if commit.version <= newest)
        lacking = newest - before.commits[-1].version if before.commits else None
        if lacking != 0:
            before.commits += map(_commit, reversed(loaded.history(lacking)))
        return list(before.commits)


@dataclass(frozen=True)
class Commit:
    """One commit of a table's log, and what `commit_metadata` stored in it."""

    version: int
    time: datetime
    facts: Mapping[str, Any]


@dataclass
class _Log:
    commits: list[Commit] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


@lru_cache(maxsize=64)
def _read_before(table: str, table_id: str) -> _Log:
    return _Log()


def _commit(entry: dict[str, Any]) -> Commit:
    return Commit(
        version=int(entry["version"]),
        time=datetime.fromtimestamp(entry["timestamp"] / 1000, UTC),
        facts=json.loads(entry.get("userMetadata") or "{}"),
    )


def commit_facts(table: Path, version: int | None = None) -> dict[str, Any]:
    """What `commit_metadata` stored at a version (default: the newest)."""
    _must_exist(table)
    read = commits(table)
    target = read[-1].version if version is None else version
    for commit in reversed(read):
        if commit.version == target:
            return dict(commit.facts)
    raise TerminalError(
        f"The table has no version {target} in its log.",
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


class TableVersion(NamedTuple):
    """What a reference `delta:<zone>/<name>@<version>` names."""

    zone: str
    name: str
    version: int


def parts(ref: str) -> TableVersion:
    """Zone, name and version of a reference `delta:<zone>/<name>@<version>`."""
    zone, rest = ref.removeprefix("delta:").split("/")
    name, version = rest.split("@")
    return TableVersion(zone, name, int(version))


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
