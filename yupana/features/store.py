"""Feast: apply a use case's definitions, fill the online store, read it.

The store is made from `Settings` alone. Offline reads join Delta in DuckDB: no JVM.
"""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from datetime import datetime, timedelta
from functools import lru_cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.core.types import DatasetRef
from yupana.data import delta
from yupana.features import given
from yupana.features.quick_feast import quick

if TYPE_CHECKING:
    import pandas as pd

# Online answers need the newest week only; a short window keeps a re-run cheap.
ONLINE_WINDOW = timedelta(weeks=4)


@lru_cache(maxsize=2)
def feature_store(settings: Settings) -> Any:
    """The Feast store of this installation."""
    quick()
    from feast import FeatureStore, RepoConfig

    home = settings.home / "feast"
    home.mkdir(parents=True, exist_ok=True)
    return FeatureStore(
        config=RepoConfig(
            project="yupana",
            provider="local",
            registry=str(home / "registry.db"),
            online_store={"type": "sqlite", "path": str(home / "online.db")},
            offline_store={"type": "yupana.features.delta_offline.DeltaOfflineStore"},
            entity_key_serialization_version=3,
            repo_path=home,
        )
    )


def write_table(settings: Settings, room: ModuleType) -> tuple[DatasetRef, tuple[str, ...]]:
    """Build a use case's feature table from its published sources, as one Delta commit.

    Returns:
        The table's reference and the references that it was built from.
    """
    from deltalake import CommitProperties, write_deltalake

    refs = given.current(settings, given.sources(settings, room))
    frame = room.build(given.at(settings, room, refs))
    table = settings.table("features", room.TABLE)
    table.parent.mkdir(parents=True, exist_ok=True)
    facts = CommitProperties(custom_metadata={"userMetadata": delta.commit_metadata(inputs=refs)})
    write_deltalake(
        str(table), frame.to_arrow(), mode="overwrite", schema_mode="overwrite",
        commit_properties=facts,
    )  # fmt: skip
    return delta.ref(settings.lake, "features", room.TABLE), refs


def publish_online(settings: Settings, room: ModuleType) -> datetime:
    """Apply the definitions and copy the newest weeks into the online store.

    Returns:
        The timestamp of the newest row (UTC).
    """
    frame = delta.read(settings.table("features", room.TABLE))
    newest: datetime = frame["event_timestamp"].max()  # type: ignore[assignment]
    store = feature_store(settings)
    # Feast prints to the terminal what it does: it is told by the step, and --json is one line.
    with redirect_stdout(io.StringIO()):
        store.apply(list(room.OBJECTS))
        store.materialize(newest - ONLINE_WINDOW, newest + timedelta(seconds=1))
    return newest


def training_frame(settings: Settings, service: str, entities: pd.DataFrame) -> pd.DataFrame:
    """Features as they were known at each row's `event_timestamp` (point-in-time join).

    Args:
        entities: columns `ubigeo` and `event_timestamp` (UTC), one row an origin.
    """
    store = feature_store(settings)
    found = store.get_historical_features(
        entity_df=entities, features=store.get_feature_service(service)
    ).to_df()
    ordered: pd.DataFrame = found.sort_values(["ubigeo", "event_timestamp"], ignore_index=True)
    return ordered


def online_features(settings: Settings, service: str, ubigeos: list[str]) -> pd.DataFrame:
    """The newest features of some districts.

    Returns:
        One row a district in the order asked: `ubigeo`, `event_timestamp` (UTC, NaT when the
        district is unknown) and the feature columns.

    Raises:
        TerminalError: the service was never published.
    """
    import pandas as pd
    from feast.errors import FeastObjectNotFoundException

    store = feature_store(settings)
    try:
        wanted = store.get_feature_service(service)
    except FeastObjectNotFoundException as error:
        raise TerminalError(
            f"The feature service '{service}' was never published.",
            where="online store",
            fix="Run `yupana features outbreak` first.",
        ) from error
    answer = store.get_online_features(
        features=wanted, entity_rows=[{"ubigeo": u} for u in ubigeos]
    ).to_dict(include_event_timestamps=True)
    stamps = next(v for k, v in answer.items() if k.endswith("__ts") and k != "ubigeo__ts")
    columns = {k: v for k, v in answer.items() if not k.endswith("__ts")}
    frame = pd.DataFrame(columns)
    known = frame.drop(columns="ubigeo").notna().all(axis=1)
    times = pd.to_datetime(pd.Series(stamps), unit="s", utc=True).where(known)
    frame.insert(1, "event_timestamp", times)
    return frame


def online_ref(settings: Settings, use_case: str) -> str:
    """Reference of the feature table version that filled the online store."""
    from yupana.governance import events

    event = events.last_done(settings.events, "features", use_case)
    if event is None:
        raise TerminalError(
            "No features were published yet.",
            where=str(settings.events),
            fix=f"Run `yupana features {use_case}` first.",
        )
    return str(event["outputs"][0])
