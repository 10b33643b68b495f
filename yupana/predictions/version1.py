"""Rows of the first shape, from before schema 0004, as a spool, a ledger or a lake may hold them.

That shape was of weekly forecasts alone: a prediction was
`[key, use case, model version, deployment, features_ref, entity, data_as_of, features, weeks,
caveats]`, a record `[prediction_id, time, key, horizon, as_of, key_id, agency, kind, request_id]`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.core.progress import Progress
from yupana.data.lake import delta, reading
from yupana.predictions import lake_table

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

PAYLOAD_VERSION = 1
"""Of the payload `{"weeks": [...]}` that these rows become."""


def parameters(horizon: int, as_of: str) -> str:
    """JSON text of what was asked for."""
    return json.dumps({"as_of": as_of, "horizon": horizon})


def payload(weeks: str) -> str:
    """JSON text of the payload, around the text of the weeks as it was stored."""
    return f'{{"weeks": {weeks}}}'


def prediction_row(row: Sequence[Any]) -> list[Any]:
    """A row of `predictions`."""
    *basis, entity, data_as_of, features, weeks, caveats = row
    return [*basis, data_as_of, entity, features, payload(weeks), PAYLOAD_VERSION, caveats]


def record_row(row: Sequence[Any]) -> list[Any]:
    """A row of `prediction_records`, without its number."""
    prediction_id, time, key, horizon, as_of, *caller = row
    return [prediction_id, time, key, parameters(horizon, as_of), *caller]


def hashed_row(row: Sequence[Any]) -> list[Any]:
    """The first shape of a row of `prediction_records`, as the ledger's first events hashed it.

    Raises:
        KeyError: it was never of that shape.
    """
    prediction_id, time, key, text, *caller = row
    values = json.loads(text)
    return [prediction_id, time, key, values["horizon"], values["as_of"], *caller]


def upgrade(table: Path, progress: Progress) -> bool:
    """Give a lake table of the first shape today's columns, in one commit; returns whether it was
    one.

    The earlier versions of the table stay in its log: who reads version 3 reads what it was.
    The caller holds the lock of those who write the table on this machine. The number of its last
    record stays: it belongs to the table, not to a version.

    Raises:
        CommitFailedError: another process wrote meanwhile; the table is as it was, or as that
            process left it.
    """
    from deltalake import CommitProperties, DeltaTable, WriterProperties, write_deltalake
    from pyarrow import RecordBatchReader

    loaded = DeltaTable(str(table))
    if "payload" in loaded.schema().to_arrow().names:
        return False
    schema = lake_table.schema()
    # The first shape called the entity by the use case's own key.
    entity = lake_table.entity_column(loaded.schema().to_arrow().names, table.name)
    batches = _batches(loaded, schema, {"told": "prediction_key", entity: "entity"})
    progress.say(f"{table} gets the columns of this release")
    facts = delta.commit_metadata(migrated_from=int(loaded.version()))
    write_deltalake(
        loaded, RecordBatchReader.from_batches(schema, batches),
        mode="overwrite", schema_mode="overwrite",
        commit_properties=CommitProperties(custom_metadata={"userMetadata": facts}),
        writer_properties=WriterProperties(compression="ZSTD"),
    )  # fmt: skip
    return True


def _batches(
    loaded: DeltaTable, schema: pa.Schema, names: dict[str, str]
) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    for batch in reading.dataset(loaded).to_batches():
        rows = pa.Table.from_batches([batch])
        rows = rows.rename_columns([names.get(name, name) for name in rows.column_names])
        pairs = zip(rows["horizon"].to_pylist(), rows["as_of"].to_pylist(), strict=True)
        new = {
            "parameters": [parameters(horizon, str(day)) for horizon, day in pairs],
            "payload": [payload(weeks) for weeks in rows["answer"].to_pylist()],
            "payload_version": [PAYLOAD_VERSION] * len(rows),
        }
        for name, values in new.items():
            rows = rows.append_column(schema.field(name), pa.array(values, schema.field(name).type))
        yield from rows.select(schema.names).cast(schema).combine_chunks().to_batches()
