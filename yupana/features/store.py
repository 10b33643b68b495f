"""Feast: apply a use case's definitions, fill the online store, read it.

The store is made from `Settings` alone. Offline reads join Delta in DuckDB: no JVM.
"""

from __future__ import annotations

import io
import sqlite3
from contextlib import closing, redirect_stdout
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.core.errors import ContentError, TerminalError
from yupana.core.types import DatasetRef
from yupana.data.lake import delta, reading
from yupana.features.quick_feast import quick
from yupana.lineage import contents

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    import polars as pl

# Online answers need each entity's newest row only; a short window keeps a re-run cheap.
ONLINE_WINDOW = timedelta(weeks=4)
REGISTRY_SECONDS = 60
"""For which a process holds what a shared registry told it."""


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
            registry=_registry(settings),
            online_store=_online(settings),
            offline_store={"type": "yupana.features.delta_offline.DeltaOfflineStore"},
            entity_key_serialization_version=3,
            repo_path=home,
        )
    )


def _registry(settings: Settings) -> str | dict[str, Any]:
    url = settings.feast_registry_url
    if not url:
        return str(settings.home / "feast" / "registry.db")
    return {"registry_type": "sql", "path": url, "cache_ttl_seconds": REGISTRY_SECONDS}


def _online(settings: Settings) -> dict[str, Any]:
    if not settings.feast_redis:
        return {"type": "sqlite", "path": str(settings.home / "feast" / "online.db")}
    password = settings.feast_redis_password
    login = f",password={password.read_text(encoding='utf-8').strip()}" if password else ""
    return {"type": "redis", "connection_string": f"{settings.feast_redis}{login}"}


def write_table(
    settings: Settings, name: str, frame: pl.DataFrame, sources: Sequence[str]
) -> DatasetRef:
    """Write a feature table as one Delta commit.

    Args:
        sources: references of the published tables that it was computed from.
    """
    from deltalake import CommitProperties, write_deltalake

    table = settings.table("features", name)
    table.parent.mkdir(parents=True, exist_ok=True)
    facts = CommitProperties(
        custom_metadata={"userMetadata": delta.commit_metadata(inputs=tuple(sources))}
    )
    write_deltalake(
        str(table), frame.to_arrow(), mode="overwrite", schema_mode="overwrite",
        commit_properties=facts,
    )  # fmt: skip
    return delta.ref(settings.lake, "features", name)


def publish_online(settings: Settings, name: str, objects: Sequence[Any]) -> datetime:
    """Apply Feast's definitions and copy a table's newest rows into the online store.

    Returns:
        The timestamp of the newest row (UTC).
    """
    import polars as pl

    frame = delta.read(settings.table("features", name))
    newest: datetime = frame["event_timestamp"].max()  # type: ignore[assignment]
    store = feature_store(settings)
    # Feast prints to the terminal what it does: it is told by the step, and --json is one line.
    with redirect_stdout(io.StringIO()):
        store.apply(list(objects))
        keys = [o.join_key for o in objects if hasattr(o, "join_key")]
        # An entity whose newest row is older has it renewed as well: it may be another than before.
        stamps = frame.group_by(keys).agg(pl.max("event_timestamp"))["event_timestamp"]
        oldest: datetime = stamps.min()  # type: ignore[assignment]
        answered = max((o.ttl for o in objects if getattr(o, "ttl", None)), default=ONLINE_WINDOW)
        oldest = max(oldest - timedelta(seconds=1), newest - answered)
        start = min(newest - ONLINE_WINDOW, oldest)
        store.materialize(start, newest + timedelta(seconds=1))
    return newest


def training_frame(settings: Settings, service: str, entities: pd.DataFrame) -> pd.DataFrame:
    """Features as they were known at each row's `event_timestamp` (point-in-time join).

    Args:
        entities: the entity's key and `event_timestamp` (UTC), one row an origin.
    """
    store = feature_store(settings)
    features = store.get_historical_features(
        entity_df=entities, features=store.get_feature_service(service)
    ).to_df()
    keys = [c for c in entities.columns if c != "event_timestamp"]
    ordered: pd.DataFrame = features.sort_values([*keys, "event_timestamp"], ignore_index=True)
    return ordered


def online_features(settings: Settings, service: str, entities: list[str]) -> pd.DataFrame:
    """The newest features of some entities.

    Returns:
        One row an entity in the order asked: its key, `event_timestamp` (UTC, NaT when it is
        unknown) and the feature columns.

    Raises:
        TerminalError: the service was never published.
    """
    import pandas as pd

    # First: it makes Feast's import quick.
    store = feature_store(settings)
    from feast.errors import FeastObjectNotFoundException

    try:
        feature_service = store.get_feature_service(service)
    except FeastObjectNotFoundException as error:
        raise TerminalError(
            f"The feature service '{service}' was never published.",
            where="online store",
            fix="Run `yupana features` of the use case first.",
        ) from error
    key = _key(store, feature_service)
    answer = store.get_online_features(
        features=feature_service, entity_rows=[{key: entity} for entity in entities]
    ).to_dict(include_event_timestamps=True)
    stamps = next(v for k, v in answer.items() if k.endswith("__ts") and k != f"{key}__ts")
    columns = {k: v for k, v in answer.items() if not k.endswith("__ts")}
    frame = pd.DataFrame(columns)
    complete = frame.drop(columns=key).notna().all(axis=1)
    times = pd.to_datetime(pd.Series(stamps), unit="s", utc=True).where(complete)
    frame.insert(1, "event_timestamp", times)
    return frame


def is_online(settings: Settings, name: str) -> bool:
    """Whether the online store on this machine has a feature table; asked without Feast."""
    path = settings.home / "feast" / "online.db"
    if settings.feast_redis:
        return True
    if not path.exists():
        return False
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return f"yupana_{name}" in [table for (table,) in names]


def demand_online(settings: Settings, ref: str, online: pd.DataFrame) -> pd.DataFrame:
    """Rows of the online store, once they are those of the version that filled it.

    An entity that the version does not have has no `event_timestamp` then: nobody vouches for it.

    Args:
        ref: of the feature table's version.
        online: as `online_features` returns it.

    Raises:
        ContentError: a row is another than in the version, or the version is not as its step
            left it.
    """
    import pandas as pd
    from deltalake import DeltaTable

    contents.demand(settings, ref)
    zone, name, version = delta.parts(ref)
    key, *columns = online.columns
    loaded = DeltaTable(str(settings.table(zone, name)), version=version)
    table = reading.dataset(loaded).to_table(columns=[key, *columns]).to_pandas()
    newest = table.sort_values("event_timestamp").groupby(key).last()
    stored = newest.reindex(online[key]).reset_index(drop=True)
    answered = online["event_timestamp"].notna() & stored["event_timestamp"].notna()
    for column in columns:
        ours, theirs = online[column][answered], stored[column][answered]
        if column == "event_timestamp":
            ours, theirs = ours.dt.floor("s"), pd.to_datetime(theirs, utc=True).dt.floor("s")
        if not (ours.to_numpy() == theirs.to_numpy()).all():
            raise ContentError(
                f"The online store has another '{column}' than the features that filled it.",
                where=f"online store, {ref}",
                fix="Fill it again: delete it (feast/online.db in home), and run `yupana features` "
                "of each use case.",
            )
    return online.assign(event_timestamp=online["event_timestamp"].where(answered))


def _key(store: Any, service: Any) -> str:
    """The join key of a feature service's entity, from its views."""
    views = (store.get_feature_view(p.name) for p in service.feature_view_projections)
    return str(next(column.name for view in views for column in view.entity_columns))


def online_ref(settings: Settings, use_case: str) -> str:
    """Reference of the feature table version that filled the online store."""
    from yupana.lineage import events

    event = events.last_done(settings.events, "features", use_case)
    if event is None:
        raise TerminalError(
            "No features were published yet.",
            where=events.WHERE,
            fix=f"Run `yupana features {use_case}` first.",
        )
    return str(event["outputs"][0])
