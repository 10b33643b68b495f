"""What the service answered, as a table to compare: a row a distinct answer, and how many asked.

The same answer is given to all who ask until the model or the data change: the log in the lake
is reduced to the distinct ones while it is read, and only those are opened. How often each was
asked is no part of the comparison: that one entity is asked for all day is not drift.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.predictions import lake_table

if TYPE_CHECKING:
    import polars as pl

ENTITY, PERIOD, MODEL, TIMES = "entity", "period", "model", "times"
_AS_LOGGED = {
    lake_table.ENTITY: ENTITY, "data_as_of": PERIOD, "model_version": MODEL,
    "features": "features", lake_table.PAYLOAD: "payload",
}  # fmt: skip


@dataclass(frozen=True)
class Measures:
    """Numbers that a kind of use case takes out of an answer.

    Attributes:
        names: of the numbers, as the model's test window has them.
        of: from payloads (JSON texts, length n), a table of n rows and these columns (floats).
    """

    names: tuple[str, ...]
    of: Callable[[pl.Series], pl.DataFrame]


def distinct(
    settings: Settings, use_case: str, numbers: list[str], texts: list[str], measures: Measures,
    until: date,
) -> pl.DataFrame:  # fmt: skip
    """The answers that someone received, simulations and shadows left out.

    Args:
        numbers, texts: features by kind, as the model's test window has them.
        measures: what is taken out of the answers themselves.
        until: answers from data of later periods are not seen.

    Returns:
        `ENTITY`, `PERIOD` (the day that ends the newest period that was known), `MODEL`
        (version), `TIMES` (how often it was given), the measures, and the features (null where
        an answer lacks one).
    """
    import polars as pl

    rows = _rows(settings, use_case, until)
    kinds = {c: pl.Float64() for c in numbers} | {c: pl.String() for c in texts}
    parts = [rows.drop("payload", "features"), measures.of(rows["payload"])]
    if kinds:
        parts.append(_features(rows["features"], kinds))
    return pl.concat(parts, how="horizontal")


def count(settings: Settings, use_case: str, until: date) -> int:
    """How many answers `distinct` can see; the log only grows, so the number tells them apart."""
    import polars as pl

    table = lake_table.path(settings, use_case)
    if not table:
        return 0
    visible = pl.scan_delta(str(table)).filter(
        pl.col("kind") == "answer", pl.col("data_as_of") <= until
    )
    return int(visible.select(pl.len()).collect(engine="streaming").item())


def _rows(settings: Settings, use_case: str, until: date) -> pl.DataFrame:
    """The distinct answers with their texts unopened."""
    import polars as pl

    table = lake_table.path(settings, use_case)
    if not table:
        schema = dict.fromkeys(_AS_LOGGED.values(), pl.String()) | {TIMES: pl.UInt32()}
        return pl.DataFrame(schema=schema | {PERIOD: pl.Date()})
    return (
        pl.scan_delta(str(table))
        .filter(pl.col("kind") == "answer", pl.col("data_as_of") <= until)
        .group_by("prediction_key")
        .agg(pl.col(list(_AS_LOGGED)).first(), pl.len().alias(TIMES))
        .sort("prediction_key")
        .drop("prediction_key")
        .rename(_AS_LOGGED)
        .collect(engine="streaming")
    )


def _features(texts: pl.Series, kinds: dict[str, Any]) -> pl.DataFrame:
    import polars as pl

    try:
        return texts.str.json_decode(pl.Struct(kinds)).struct.unnest()
    except pl.exceptions.ComputeError:
        # One answer holds what is no number: column by column, and that value is missing.
        return pl.DataFrame(
            [
                texts.str.json_path_match(f"$.{name}").cast(kind, strict=False).alias(name)
                for name, kind in kinds.items()
            ]
        )
