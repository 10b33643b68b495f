"""Read a Delta table's files by Arrow's own file system.

delta-rs otherwise hands Arrow a file system of its own in Python, which Arrow's threads still
call while the interpreter ends: on a busy machine one short command in twenty then aborts with
exit code 134 after its work is done (apache/arrow#34314, delta-io/delta-rs#2184).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    import polars as pl
    from deltalake import DeltaTable


def dataset(loaded: DeltaTable) -> Any:
    """The version's rows as a pyarrow Dataset, which reads only the columns asked for."""
    from pyarrow import fs

    where = urlsplit(loaded.table_uri)
    if where.scheme not in ("", "file"):
        return loaded.to_pyarrow_dataset()
    files = fs.SubTreeFileSystem(unquote(where.path), fs.LocalFileSystem())
    try:
        return loaded.to_pyarrow_dataset(filesystem=files)
    except ValueError:
        return _without_statistics(loaded, files)


def _without_statistics(loaded: DeltaTable, files: Any) -> Any:
    """The rows of a table whose log has a day that Python cannot hold, such as the year 44260:
    rows that came before such days were refused must not keep a table from being mended."""
    import pyarrow as pa
    import pyarrow.dataset as ds

    schema = pa.schema(loaded.schema())
    paths = [unquote(path) for path in pa.table(loaded.get_add_actions())["path"].to_pylist()]
    parts = ds.partitioning(
        pa.schema([schema.field(name) for name in loaded.metadata().partition_columns]),
        flavor="hive",
    )
    return ds.dataset(
        paths, schema=schema, format="parquet", filesystem=files, partitioning=parts
    )


def frame(loaded: DeltaTable, columns: list[str] | None = None) -> pl.DataFrame:
    """The version's rows as a Polars frame."""
    import polars as pl

    return pl.DataFrame(pl.from_arrow(dataset(loaded).to_table(columns=columns)))
