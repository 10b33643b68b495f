"""Feast definitions of the outbreak use case, and the tables that they are built from.

The FeatureService is the contract that training and serving share: both ask Feast for
`outbreak_v2` and get the same columns.
"""

from __future__ import annotations

from datetime import timedelta

from feast import Entity, FeatureService, FeatureView, Field, FileSource
from feast.data_format import DeltaFormat
from feast.types import Float64
from feast.value_type import ValueType

from feature_repo.outbreak_weekly import (
    FEATURES,
    OPTIONAL,
    REPORTED,
    REPORTING,
    SOURCES,
    TABLE,
    weekly_features,
)
from yupana.config.settings import settings

__all__ = ["OBJECTS", "OPTIONAL", "REPORTED", "REPORTING", "SOURCES", "TABLE", "build"]
build = weekly_features

district = Entity(
    name="district",
    join_keys=["ubigeo"],
    value_type=ValueType.STRING,
    description="Distrito, by its INEI code of six digits",
)
source = FileSource(
    name=TABLE,
    path=str(settings().table("features", TABLE)),
    file_format=DeltaFormat(),
    timestamp_field="event_timestamp",
)
weekly = FeatureView(
    name=TABLE,
    entities=[district],
    # A district that stops reporting must be told as unknown, not answered from old weeks.
    ttl=timedelta(weeks=8),
    schema=[Field(name=name, dtype=Float64) for name in FEATURES],
    source=source,
    online=True,
    description="Recent weekly cases of the district and its department, season and context",
)
service = FeatureService(
    name="outbreak_v2", features=[weekly], description="What outbreak models v2 read"
)

OBJECTS = (district, weekly, service)
