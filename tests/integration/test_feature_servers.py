"""Feast and MLflow on servers, by settings: registries in PostgreSQL, online features in Redis."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from candidates import NAME, TAGS, candidate
from feast import Entity, FeatureService, FeatureView, Field, FileSource
from feast.data_format import DeltaFormat
from feast.types import Float64
from feast.value_type import ValueType
from platform_db import postgres

from yupana.config.settings import Settings
from yupana.features import store
from yupana.tracking import aliases, registry

NEWEST = datetime(2020, 6, 6, 23, 59, 59, tzinfo=UTC)
PASSWORD = "feature-secret"


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    """The address of a Redis that asks for a password."""
    pytest.importorskip("redis", reason="Feast's client of Redis is not installed: uv sync")
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not on this machine")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir",
             str(tmp_path), "--requirepass", PASSWORD]  # fmt: skip
    server = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    try:
        _wait(port)
        yield f"127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


def _wait(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("Redis did not start")


def definitions(settings: Settings) -> tuple[object, ...]:
    entity = Entity(name="site", join_keys=["site_id"], value_type=ValueType.STRING)
    source = FileSource(
        name="readings", path=str(settings.table("features", "readings")),
        file_format=DeltaFormat(), timestamp_field="event_timestamp",
    )  # fmt: skip
    view = FeatureView(
        name="readings", entities=[entity], schema=[Field(name="level", dtype=Float64)],
        source=source, ttl=timedelta(weeks=8), online=True,
    )  # fmt: skip
    return entity, view, FeatureService(name="readings_v1", features=[view])


def test_features_go_through_redis_and_a_registry_in_postgresql(
    redis: str, tmp_path: Path
) -> None:
    secret = tmp_path / "password"
    secret.write_text(PASSWORD + "\n")
    with postgres() as (database, _):
        settings = Settings(
            home=tmp_path / "home", feast_redis=redis, feast_redis_password=secret,
            feast_registry_url=database,
        )  # fmt: skip
        rows = pl.DataFrame({"site_id": ["a", "b"], "event_timestamp": NEWEST, "level": [1.5, 2.5]})
        store.write_table(settings, "readings", rows, ())
        assert store.publish_online(settings, "readings", definitions(settings)) == NEWEST
        # Another pod: its own home, the same servers.
        elsewhere = settings.model_copy(update={"home": tmp_path / "other"})
        answer = store.online_features(elsewhere, "readings_v1", ["b", "a", "c"])
        assert answer["level"].tolist()[:2] == [2.5, 1.5] and answer["level"].isna().iloc[2]
        assert answer["event_timestamp"].iloc[0] == NEWEST
        for home in (settings.home, elsewhere.home):
            assert not list((home / "feast").glob("*.db")), "nothing of it is a file"
        store.feature_store.cache_clear()


def test_the_registry_in_postgresql_says_who_is_champion(tmp_path: Path) -> None:
    with postgres() as (database, _):
        settings = Settings(home=tmp_path / "home", mlflow_url=database)
        settings.home.mkdir()
        version = registry.register(settings, NAME, candidate(tmp_path / "a", 1.0), TAGS)
        assert (version.version, version.alias) == (1, "champion")
        assert aliases.champion(settings, NAME) == "model:outbreak@1"
        assert not list(settings.home.rglob("mlflow.db"))
