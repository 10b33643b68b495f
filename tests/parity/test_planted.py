"""A difference between two lakes is found: the comparison itself can fail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import polars as pl
import pytest
from compare import differences
from deltalake import write_deltalake

from yupana.config.settings import Settings
from yupana.core.progress import Silent
from yupana.data.lake import delta
from yupana.orchestration.ingest import ingest

NAME = "iquitos_weekly"
FAULTS: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    "a zero that became null": lambda rows: rows.with_columns(
        pl.when(pl.col("denv1_cases") != 0).then("denv1_cases").alias("denv1_cases")
    ),
    "a day of another time zone": lambda rows: rows.with_columns(
        pl.col("week_start") + timedelta(days=1)
    ),
    "a row less": lambda rows: rows.filter(pl.col("source_line") != 9),
    "another type": lambda rows: rows.with_columns(pl.col("total_cases").cast(pl.Int64)),
    "rounding": lambda rows: rows.with_columns(
        (pl.col("total_cases") / 3).round(0).cast(pl.Int32) * 3
    ),
}


@pytest.fixture(scope="module")
def lakes(tmp_path_factory: pytest.TempPathFactory):
    """Two equal lakes, made by one engine."""
    both = tuple(Settings(home=tmp_path_factory.mktemp(x)) for x in "ab")
    return both, tuple(ingest(lake, NAME, None, Silent()) for lake in both)


def test_equal_lakes_do_not_differ(lakes) -> None:
    assert differences(lakes[1], lakes[0], NAME) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_difference_is_found(lakes, fault: str) -> None:
    table = lakes[0][1].table("published", NAME)
    before = delta.version_of(table)
    write_deltalake(
        table, FAULTS[fault](delta.read(table)).to_arrow(), mode="overwrite",
        schema_mode="overwrite",
    )  # fmt: skip
    try:
        assert any("published" in d for d in differences(lakes[1], lakes[0], NAME))
    finally:
        from deltalake import DeltaTable

        DeltaTable(table).restore(before)
