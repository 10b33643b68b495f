"""Records of the prediction log, each with its prediction, as the lake takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from yupana.predictions.prediction_log import PREDICTIONS, RECORDS

if TYPE_CHECKING:
    import pyarrow as pa

_KEYS = 500
Row = Mapping[str, Any]


def records(
    database: sa.Engine, use_case: str, after: int, through: int, most: int | None = None
) -> list[Row]:
    """Records of a use case whose numbers are in (after, through], by number; the first `most`."""
    query = (
        sa.select(*RECORDS.columns)
        .join_from(RECORDS, PREDICTIONS, RECORDS.c.prediction_key == PREDICTIONS.c.key)
        .where(PREDICTIONS.c.use_case == use_case)
        .where(RECORDS.c.seq > after, RECORDS.c.seq <= through)
        .order_by(RECORDS.c.seq)
        .limit(most)
    )
    with database.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def predictions(database: sa.Engine, page: Sequence[Row]) -> dict[str, Row]:
    """The predictions of some records, by key."""
    rows: dict[str, Row] = {}
    ordered = sorted({row["prediction_key"] for row in page})
    with database.connect() as connection:
        for start in range(0, len(ordered), _KEYS):
            some = PREDICTIONS.c.key.in_(ordered[start : start + _KEYS])
            query = sa.select(PREDICTIONS).where(some)
            rows |= {row["key"]: dict(row) for row in connection.execute(query).mappings()}
    return rows


def batch(page: Sequence[Row], predictions: Mapping[str, Row], schema: pa.Schema) -> pa.RecordBatch:
    """Records as rows of the lake's table, with its schema."""
    import pyarrow as pa

    columns: dict[str, list[Any]] = {name: [] for name in schema.names}
    for row in page:
        whole = {**predictions[row["prediction_key"]], **row, "time": round(row["time"] * 1e6)}
        for name, values in columns.items():
            values.append(whole[name])
    arrays = [
        # Days are ISO texts in the database.
        pa.array(values, pa.string()).cast(field.type)
        if pa.types.is_date32(field.type)
        else pa.array(values, field.type)
        for field, values in zip(schema, columns.values(), strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
