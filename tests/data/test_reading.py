"""Reading a Delta table by Arrow's own file system gives what delta-rs gives."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from yupana.data.lake import reading


def test_folders_and_partitions_with_blanks_and_accents(tmp_path: Path) -> None:
    table = tmp_path / "año 2024" / "casos"
    table.parent.mkdir()
    rows = {"x": [1, 2, 3], "región": ["a b/", "ñ", None]}
    write_deltalake(table, pa.table(rows), partition_by=["región"])
    loaded = DeltaTable(table)
    assert reading.frame(loaded).sort("x").to_dict(as_series=False) == rows
    assert reading.frame(loaded, ["x"]).columns == ["x"]


def test_an_older_version_is_read_as_it_was(tmp_path: Path) -> None:
    table = tmp_path / "t"
    write_deltalake(table, pa.table({"x": [1]}))
    write_deltalake(table, pa.table({"x": [2, 3]}), mode="overwrite")
    assert reading.frame(DeltaTable(table, version=0))["x"].to_list() == [1]
    assert reading.dataset(DeltaTable(table)).count_rows() == 2
