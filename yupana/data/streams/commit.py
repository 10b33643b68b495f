"""Publish a batch: its good rows in one Delta commit that bears the batch's number.

The number is the version of an application's transaction (`txn` in Delta's protocol, "Transaction
Identifiers"): a batch whose number the table knows is not written again. By delta-rs on both
engines, because Sail drops `txnAppId` and `txnVersion` without a word.
https://github.com/delta-io/delta/blob/master/PROTOCOL.md#transaction-identifiers
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.core.errors import TransientError
from yupana.core.types import DatasetRef, RawObject
from yupana.data.contracts.rules import BROKEN
from yupana.data.files import landing
from yupana.data.lake import delta, evolution, reading
from yupana.data.streams import spool

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from yupana.data.contracts.contract import Contract


def application(name: str) -> str:
    """The stream's name in the table's transactions."""
    return f"yupana.stream.{name}"


def last(table: Path, name: str) -> int:
    """Number of the last batch that a table holds; 0 when none."""
    from deltalake import DeltaTable

    if not delta.exists(table):
        return 0
    return int(DeltaTable(table).transaction_version(application(name)) or 0)


def state(table: Path) -> spool.State:
    """Where the last batch that a table holds left Kafka's offsets; empty where none says so."""
    for commit in reversed(delta.commits(table)):
        if "offsets" in commit.facts:
            return dict(commit.facts["offsets"])
    return {}


def append(
    settings: Settings,
    contract: Contract,
    good: DataFrame,
    staged: DatasetRef,
    raw: RawObject,
    facts: str,
) -> DatasetRef:
    """Add a batch's good rows to the published table, once.

    Args:
        good: the engine's view of them, asked for its columns alone.
        facts: the commit's origin (`delta.commit_metadata`).

    Raises:
        TerminalError: a column has another type in the table.
        TransientError: another machine published the same batch at this moment.
    """
    import pyarrow.compute as pc
    from deltalake import DeltaTable

    table, name = settings.table("published", contract.name), contract.name
    everything = reading.dataset(DeltaTable(staged.path, version=staged.version))
    rows = everything.filter(pc.field(BROKEN).is_null()).scanner(columns=good.columns)
    number = spool.number(settings, raw)
    state = landing.facts_of(settings, raw)["stream"]["state"]
    if last(table, name) < number:
        if delta.exists(table):
            evolution.agree(good, table)
        # Of a folder it would be the names of all files, which are gone.
        offsets = {"offsets": state} if "next" in state else {}
        metadata = delta.commit_metadata(**json.loads(facts), batch=number, **offsets)
        _write(contract, table, rows, number, metadata)
    return DatasetRef(
        zone="published",
        name=name,
        version=delta.version_of(table),
        path=str(table),
        rows=rows.count_rows(),
    )


def _write(contract: Contract, table: Path, rows: Any, number: int, facts: str) -> None:
    from deltalake import CommitProperties, Transaction, write_deltalake
    from deltalake.exceptions import CommitFailedError

    table.parent.mkdir(parents=True, exist_ok=True)
    try:
        write_deltalake(
            str(table),
            rows.to_reader(),
            mode="append",
            schema_mode="merge",
            partition_by=list(contract.partitions) or None,
            commit_properties=CommitProperties(
                custom_metadata={"userMetadata": facts},
                app_transactions=[Transaction(application(contract.name), number)],
            ),
        )
    except CommitFailedError as error:
        raise TransientError(
            "Another process published at the same moment.",
            detail=str(error),
            where=f"published/{contract.name}, batch {number}",
            fix="Run it again: a batch that the other has published is not written twice.",
        ) from error
