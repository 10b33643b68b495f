"""Feast offline store that reads Delta through delta-rs and joins in DuckDB.

Feast's own DuckDB store reads Delta by a DuckDB extension that is downloaded at run time;
an agency's machine may have no way out. Reading by delta-rs needs neither network nor JVM.
"""

from __future__ import annotations

from typing import Any, Literal

import ibis
from deltalake import DeltaTable
from feast.infra.offline_stores import duckdb as feast_duckdb
from feast.infra.offline_stores import ibis as feast_ibis

from yupana.core.errors import TerminalError
from yupana.data.lake import reading


class DeltaOfflineStoreConfig(feast_duckdb.DuckDBOfflineStoreConfig):  # type: ignore[misc]
    """The DuckDB store's settings under this store's name (Feast finds it by its name)."""

    type: Literal["yupana.features.delta_offline.DeltaOfflineStore"] = (
        "yupana.features.delta_offline.DeltaOfflineStore"
    )


def _read(source: Any, repo_path: str) -> Any:
    return ibis.memtable(reading.dataset(DeltaTable(source.path)).to_table())


def _refuse(*args: Any) -> None:
    raise TerminalError(
        "Feast was asked to write a feature table; its Delta store only reads.",
        where="yupana.features.delta_offline",
        fix="Run `yupana features <use case>`.",
    )


class DeltaOfflineStore(feast_duckdb.DuckDBOfflineStore):  # type: ignore[misc]
    """Point-in-time joins and materialisation over Delta tables, read-only."""

    @staticmethod
    def get_historical_features(**options: Any) -> Any:
        return feast_ibis.get_historical_features_ibis(
            **options, data_source_reader=_read, data_source_writer=_refuse
        )

    @staticmethod
    def pull_latest_from_table_or_query(**options: Any) -> Any:
        return feast_ibis.pull_latest_from_table_or_query_ibis(
            **options, data_source_reader=_read, data_source_writer=_refuse
        )

    @staticmethod
    def pull_all_from_table_or_query(**options: Any) -> Any:
        return feast_ibis.pull_all_from_table_or_query_ibis(
            **options, data_source_reader=_read, data_source_writer=_refuse
        )
