"""What the service answered, as a table to compare: a row a distinct forecast, and how many asked.

The same forecast is given to all who ask until the model or the data change: the log in the lake
is reduced to the distinct ones while it is read, and only those are opened. How often each was
asked is no part of the comparison: that one district is asked for all day is not drift.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.data import delta, prediction_table

if TYPE_CHECKING:
    import polars as pl

FORECAST = "forecast_median_1"
"""The forecast that is compared: the median of the first week, in cases."""

PLACE, WEEK, MODEL, TIMES = "ubigeo", "week", "model", "times"


def told(
    settings: Settings, use_case: str, numbers: list[str], texts: list[str], until: date
) -> pl.DataFrame:
    """The answers that someone received, simulations and shadows left out.

    Args:
        numbers, texts: features by kind, as the model's test window has them; `FORECAST` is
            taken from the answer.
        until: answers from data of later weeks are not seen.

    Returns:
        `ubigeo`, `week` (the day that ends the newest week that was known), `model` (version),
        the columns asked for (null where the answer lacks one) and `TIMES` (how often told).
    """
    import polars as pl

    rows = _rows(settings, use_case, until)
    weeks = pl.List(pl.Struct({"horizon": pl.Int64, "median": pl.Float64}))
    first = pl.element().filter(pl.element().struct["horizon"] == 1).first().struct["median"]
    kinds = {c: pl.Float64() for c in numbers if c != FORECAST} | {c: pl.String() for c in texts}
    opened = rows.with_columns(
        pl.col("answer").str.json_decode(weeks).list.eval(first).list.first().alias(FORECAST)
    ).drop("answer")
    features = _features(opened["features"], kinds)
    return pl.concat([opened.drop("features"), features], how="horizontal")


def count(settings: Settings, use_case: str, until: date) -> int:
    """How many answers `told` can see; the log only grows, so that the number tells them apart."""
    import polars as pl

    table = settings.table(prediction_table.ZONE, use_case)
    if not delta.exists(table):
        return 0
    seen = pl.scan_delta(str(table)).filter(
        pl.col("kind") == "answer", pl.col("data_as_of") <= until
    )
    return int(seen.select(pl.len()).collect(engine="streaming").item())


def _rows(settings: Settings, use_case: str, until: date) -> pl.DataFrame:
    """The distinct forecasts with their texts unopened."""
    import polars as pl

    table = settings.table(prediction_table.ZONE, use_case)
    kept = ["ubigeo", "data_as_of", "model_version", "features", "answer"]
    if not delta.exists(table):
        empty = pl.DataFrame(schema=dict.fromkeys(kept, pl.String) | {TIMES: pl.UInt32})
        rows = empty.with_columns(pl.col("data_as_of").cast(pl.Date)).lazy()
    else:
        rows = (
            pl.scan_delta(str(table))
            .filter(pl.col("kind") == "answer", pl.col("data_as_of") <= until)
            .group_by("told")
            .agg(pl.col(kept).first(), pl.len().alias(TIMES))
            .sort("told")
            .drop("told")
        )
    named = {"data_as_of": WEEK, "model_version": MODEL}
    return rows.rename(named).collect(engine="streaming")


def _features(texts: pl.Series, kinds: dict[str, Any]) -> pl.DataFrame:
    import polars as pl

    if not kinds:
        return pl.DataFrame()
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
