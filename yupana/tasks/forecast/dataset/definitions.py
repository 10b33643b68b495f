"""Feast definitions of a use case, from its spec and its layout of features.

The feature service is the contract that training and serving share: both ask Feast for it and
get the same columns.
"""

from __future__ import annotations

from typing import Any

from yupana.config.settings import settings
from yupana.core import spec
from yupana.features.quick_feast import quick
from yupana.tasks.forecast import options
from yupana.tasks.forecast.dataset.panel_features import Layout


def objects(name: str, layout: Layout, entity: str) -> tuple[Any, Any, Any]:
    """Feast's entity, feature view and feature service of a use case.

    Args:
        name: of the use case.
        entity: what a forecast is about, one word: `district`.
    """
    quick()
    from feast import Entity, FeatureService, FeatureView, Field, FileSource
    from feast.data_format import DeltaFormat
    from feast.types import Float64
    from feast.value_type import ValueType

    about = spec.load(name)
    table, title = about.features.table, f"{about.title.es} / {about.title.en}"
    horizons = options.of(about).horizons
    joined = Entity(
        name=entity, join_keys=[about.entity.key], value_type=ValueType.STRING,
        description=f"{entity}, by its code",
    )  # fmt: skip
    source = FileSource(
        name=table, path=str(settings().table("features", table)), file_format=DeltaFormat(),
        timestamp_field="event_timestamp",
    )  # fmt: skip
    view = FeatureView(
        name=table,
        entities=[joined],
        # An entity that stops reporting must be told as unknown, not answered from old counts.
        ttl=layout.frequency.reach(horizons),
        schema=[Field(name=feature, dtype=Float64) for feature in layout.features],
        source=source,
        online=True,
        description=title,
    )
    service = FeatureService(name=about.features.service, features=[view], description=title)
    return joined, view, service
