"""Tables that one step alone writes: what a run of it that broke off left there is taken back.

A run can end between a table's commit and the step's event. Then nobody vouches for the table's
newest version, and the same step with other inputs, or with those of before, has to go on from
what a step left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.core.errors import TransientError
from yupana.core.locks import one_at_a_time
from yupana.core.progress import Lines
from yupana.lineage import contents, events

if TYPE_CHECKING:
    from deltalake import DeltaTable

STEP = "rollback"
"""The event of a table that was put back."""


@dataclass(frozen=True)
class Count:
    """How far a table follows a log whose rows it takes over.

    Attributes:
        log: the name of Delta's transaction whose number goes back with the table.
        least: up to here the log has its rows no more: the table never goes back below.
    """

    log: str
    least: int = 0


@contextmanager
def holding(settings: Settings, step: str, tables: Sequence[str]) -> Iterator[None]:
    """Write alone to some tables, each of which is first as a step left it.

    Args:
        step: who writes them; those who wait are told.
        tables: `<zone>/<name>`.

    Raises:
        ContentError: the version that a step left last is not as it was.
    """
    with ExitStack() as locks:
        # In one order: of two who take them in another, each would wait for the other.
        for table in sorted(tables):
            lock = settings.lock(table.rpartition("/")[2])
            locks.enter_context(one_at_a_time(lock, f"another {step}", Lines()))
        for table in tables:
            put_back(settings, table)
        yield


def put_back(settings: Settings, table: str, count: Count | None = None) -> None:
    """Put a table (`<zone>/<name>`) back to the newest version that a step left.

    What came after it was written by a run that broke off, and does it again, or by no step. A
    table of which no step has left any version stays: the next run replaces its rows.

    Raises:
        ContentError: that version is not as the step left it.
        TransientError: another machine wrote to the table meanwhile.
    """
    path = settings.table(*table.split("/"))
    if not any((path / "_delta_log").glob("*.json")):
        return
    from deltalake import DeltaTable

    loaded = DeltaTable(str(path))
    version = contents.last_version(settings, f"delta:{table}@{loaded.version()}")
    if version is None:
        return
    before = f"delta:{table}@{version}"
    contents.demand(settings, before)
    if version == loaded.version():
        return
    if not _is_restored(loaded, DeltaTable(str(path), version=version), count):
        return
    after = f"delta:{table}@{DeltaTable(str(path)).version()}"
    # The same rows under a new number: a trace must lead through it.
    events.append(settings, STEP, table, status="done", inputs=(before,), outputs=(after,))


def _is_restored(loaded: DeltaTable, earlier: DeltaTable, count: Count | None) -> bool:
    """Restore an earlier version with the number that it had, unless that would lose rows."""
    from deltalake import CommitProperties, Transaction
    from deltalake.exceptions import CommitFailedError

    numbers = []
    if count:
        number = earlier.transaction_version(count.log) or 0
        if number < count.least:
            return False
        numbers = [Transaction(count.log, number)]
    properties = CommitProperties(app_transactions=numbers)
    try:
        loaded.restore(earlier.version(), commit_properties=properties)
    except CommitFailedError as error:
        raise TransientError(
            "The table was written to while it was put back.",
            where=loaded.table_uri,
            fix="Another machine does the same step: run it again.",
        ) from error
    return True
