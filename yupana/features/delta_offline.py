"""Feast offline store that reads Delta through delta-rs and joins in DuckDB.

Feast's own DuckDB store reads Delta by a DuckDB extension that is downloaded at run time;
an agency's machine may have no way out. Reading by delta-rs needs neither network nor JVM.

Feast makes its offline store with every `FeatureStore`, also in a service that reads online alone:
DuckDB and ibis are imported by the first join.
"""

from __future__ import annotations

from typing import Any, Literal

from deltalake import DeltaTable
from feast.infra.offline_stores.offline_store import OfflineStore
from feast.repo_config import FeastConfigBaseModel

from yupana.core.errors import TerminalError
from yupana.data.lake import reading


class DeltaOfflineStoreConfig(FeastConfigBaseModel):  # type: ignore[misc]
    """No settings but this store's name (Feast finds it by its name)."""

    type: Literal["yupana.features.delta_offline.DeltaOfflineStore"] = (
        "yupana.features.delta_offline.DeltaOfflineStore"
    )


def _read(source: Any, repo_path: str) -> Any:
    import ibis

    return ibis.memtable(reading.dataset(DeltaTable(source.path)).to_table())


def _refuse(*args: Any) -> None:
    raise TerminalError(
        "Feast was asked to write a feature table; its Delta store only reads.",
        where="yupana.features.delta_offline",
        fix="Run `yupana features <use case>`.",
    )


class DeltaOfflineStore(OfflineStore):  # type: ignore[misc]
    """Point-in-time joins and materialisation over Delta tables, read-only."""

    @staticmethod
    def get_historical_features(**options: Any) -> Any:
        from feast.infra.offline_stores import ibis as joins

        return joins.get_historical_features_ibis(
            **options, data_source_reader=_read, data_source_writer=_refuse
        )

    @staticmethod
    def pull_latest_from_table_or_query(**options: Any) -> Any:
        from feast.infra.offline_stores import ibis as joins

        return joins.pull_latest_from_table_or_query_ibis(
            **options, data_source_reader=_read, data_source_writer=_refuse
        )

    @staticmethod
    def pull_all_from_table_or_query(**options: Any) -> Any:
        from feast.infra.offline_stores import ibis as joins

        return joins.pull_all_from_table_or_query_ibis(
            **options, data_source_reader=_read, data_source_writer=_refuse
        )

