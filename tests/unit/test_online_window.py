"""The online store is filled from a window that ends at the newest row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import polars as pl
import pytest
from deltalake import write_deltalake
from feast import Entity, FeatureService, FeatureView, Field, FileSource
from feast.data_format import DeltaFormat
from feast.types import Float64
from feast.value_type import ValueType

from yupana.config.settings import Settings
from yupana.core.errors import ContentError
from yupana.features import store
from yupana.lineage import events

NEWEST = datetime(2020, 6, 6, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(("weeks", "is_copied"), [(5, False), (8, True)])
def test_rows_that_answer_nothing_any_more_are_not_copied(
    tmp_path: Path, weeks: int, is_copied: bool
) -> None:
    ttl = timedelta(weeks=weeks)
    settings = Settings(home=tmp_path / "home")
    table = settings.table("features", "weekly")
    table.parent.mkdir(parents=True)
    stamps = [NEWEST - timedelta(weeks=w) for w in range(30)]
    current = pl.DataFrame({"ubigeo": "160101", "event_timestamp": stamps, "cases": 1.0})
    silent = pl.DataFrame({"ubigeo": "160301", "event_timestamp": stamps[6:], "cases": 9.0})
    write_deltalake(str(table), pl.concat([current, silent]).to_arrow())
    district = Entity(name="district", join_keys=["ubigeo"], value_type=ValueType.STRING)
    source = FileSource(
        name="weekly", path=str(table), file_format=DeltaFormat(),
        timestamp_field="event_timestamp",
    )  # fmt: skip
    view = FeatureView(
        name="weekly", entities=[district], schema=[Field(name="cases", dtype=Float64)],
        source=source, ttl=ttl, online=True,
    )  # fmt: skip
    objects = (district, view, FeatureService(name="s", features=[view]))
    assert store.publish_online(settings, "weekly", objects) == NEWEST
    features = store.online_features(settings, "s", ["160101", "160301"])
    assert features["cases"].tolist()[0] == 1.0
    assert features["cases"].notna().tolist() == [True, is_copied]
    assert features["event_timestamp"].iloc[0] == NEWEST
    assert store.is_online(settings, "weekly") and not store.is_online(settings, "monthly")

    ref = "delta:features/weekly@0"
    events.append(settings, "features", "x", status="done", outputs=(ref,))
    strangers = pd.concat([features, features.head(1).assign(ubigeo="160199")], ignore_index=True)
    stamps = store.demand_online(settings, ref, strangers)["event_timestamp"]
    assert stamps.notna().tolist() == [True, is_copied, False], "of no version, of no answer"
    for name, value in (("cases", 300.0), ("event_timestamp", NEWEST - timedelta(weeks=1))):
        edited = features.assign(**{name: features[name].where(features[name].isna(), value)})
        with pytest.raises(ContentError, match=f"another '{name}'"):
            store.demand_online(settings, ref, edited)
