"""Housekeeping of Delta tables by delta-rs, without a JVM: compact, keep the log, vacuum.

Delta removes old files by age alone; here a version that something refers to keeps its files for
ever (`keep_versions`), and only files that no such version needs go when they are old enough.
delta-rs is used because Spark's VACUUM knows ages and inventories, not versions. It must know
all that a table uses: a table with a feature listed in `UNKNOWN` is left alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, TransientError
from yupana.data.lake import delta

if TYPE_CHECKING:
    from deltalake import DeltaTable

HOURS = 24
# A file below SMALL is worth merging where a partition has MANY of them; rewriting a table that
# is well as it is would double it on disk, because the version before keeps its files.
SMALL = 16 << 20
MANY = 8
# Deletion vectors are files that delta-rs' `keep_versions` does not count.
UNKNOWN = {"deletionVectors", "v2Checkpoint", "catalogManaged"}
# Spark and delta-rs otherwise remove log entries after 30 days, and with them old versions.
KEEP_LOG = {"delta.enableExpiredLogCleanup": "false"}


@dataclass(frozen=True)
class TidyResult:
    """What was, or would be, done to a table; `version` is its newest afterwards."""

    version: int
    files: tuple[str, ...]
    bytes: int = 0

    @property
    def nothing(self) -> bool:
        return not self.files


def tables(settings: Settings) -> list[tuple[str, str]]:
    """Zone and name of every Delta table of the lake, in order."""
    folders = sorted(p for p in settings.lake.glob("*/*") if delta.exists(p))
    return [(p.parent.name, p.name) for p in folders]


def compact(table: Path, *, dry_run: bool) -> TidyResult:
    """Merge small files where a partition has many; the rows and their order stay.

    Returns:
        The files that were merged.

    Raises:
        TransientError: someone wrote to the table at the same time.
        TerminalError: the table uses what delta-rs cannot handle.
    """
    loaded = _open(table)
    small = _fragments(loaded)
    if small and not dry_run:
        from deltalake.exceptions import CommitFailedError

        try:
            _keep_log(loaded)
            loaded.optimize.compact()
        except CommitFailedError as error:
            raise _busy(table) from error
    return TidyResult(int(loaded.version()), tuple(small), sum(small.values()))


def vacuum(table: Path, keep: set[int], *, days: int, dry_run: bool) -> TidyResult:
    """Remove files that neither the newest version nor one of `keep` uses.

    Args:
        keep: versions that must stay readable; those that the table lacks are passed over.
        days: a file that was in use this many days ago stays in any case.

    Returns:
        The files that were removed, by their names in the table's folder.

    Raises:
        TransientError: someone wrote to the table at the same time.
        TerminalError: the table uses what delta-rs cannot handle.
    """
    loaded = _open(table)
    newest = int(loaded.version())
    versions = sorted(v for v in keep | {newest} if 0 <= v <= newest)
    hours = days * HOURS
    going = loaded.vacuum(hours, True, False, full=True, keep_versions=versions)
    size = sum((table / name).stat().st_size for name in going if (table / name).exists())
    if going and not dry_run:
        from deltalake.exceptions import CommitFailedError

        try:
            _keep_log(loaded)
            loaded.vacuum(hours, False, False, full=True, keep_versions=versions)
        except CommitFailedError as error:
            raise _busy(table) from error
    return TidyResult(int(loaded.version()), tuple(sorted(going)), size)


def _open(table: Path) -> DeltaTable:
    from deltalake import DeltaTable

    loaded = DeltaTable(table)
    protocol = loaded.protocol()
    uses = {*(protocol.reader_features or ()), *(protocol.writer_features or ())}
    if uses & UNKNOWN:
        raise TerminalError(
            f"The table uses {', '.join(sorted(uses & UNKNOWN))}, which maintenance cannot handle.",
            where=str(table),
            fix="Switch that feature off for the table (ALTER TABLE … DROP FEATURE).",
        )
    return loaded


def _fragments(loaded: DeltaTable) -> dict[str, int]:
    """Small files, with their bytes, of partitions that have many of them."""
    import pyarrow as pa

    actions = pa.table(loaded.get_add_actions(flatten=True)).to_pylist()
    small = [a for a in actions if a["size_bytes"] < SMALL]
    part = {
        a["path"]: tuple(str(v) for k, v in a.items() if k.startswith("partition.")) for a in small
    }
    count = Counter(part.values())
    return {a["path"]: a["size_bytes"] for a in small if count[part[a["path"]]] >= MANY}


def _keep_log(loaded: DeltaTable) -> None:
    if loaded.metadata().configuration.items() >= KEEP_LOG.items():
        return
    loaded.alter.set_table_properties(KEEP_LOG)


def _busy(table: Path) -> TransientError:
    return TransientError(
        "The table was written to at the same time.", where=str(table), fix="Run it again."
    )
