"""What the online features were computed from: read from the lake, once a version."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import polars as pl

from feature_repo import outbreak_weekly as weekly
from yupana.config.settings import Settings
from yupana.data import delta, reading
from yupana.features import given

if TYPE_CHECKING:
    import pandas as pd

Tables = dict[str, pl.DataFrame]


@lru_cache(maxsize=1)
def tables(settings: Settings, features_ref: str) -> Tables:
    """The published tables that a version of the features names as its inputs.

    Args:
        features_ref: for example `delta:features/outbreak_weekly@3`.

    Returns:
        By name, as `weekly_features` takes them; the cases summed by `ubigeo` and `week_start`.

    Raises:
        TerminalError: a version is not in the lake any more.
    """
    zone, name, version = delta.parts(features_ref)
    inputs = delta.commit_facts(settings.table(zone, name), version)["inputs"]
    found = given.at(settings, weekly, inputs)
    cases = found[weekly.REPORTED].group_by("ubigeo", "week_start").agg(pl.sum("cases"))
    return found | {weekly.REPORTED: cases}


def cases(tables: Tables, department: str) -> pd.DataFrame:
    """Cases as reported, by the day that ends the week (index, every week) and district.

    Args:
        department: two digits.
    """
    import pandas as pd

    rows = tables[weekly.REPORTED]
    mine = rows.filter(pl.col("ubigeo").str.starts_with(department)).to_pandas()
    found = mine.pivot_table("cases", "week_start", "ubigeo", aggfunc="sum")
    found.index = pd.to_datetime(found.index) + pd.Timedelta(days=6)
    # The weeks of the whole table: a department may have none in the newest.
    first, last = rows["week_start"].min(), rows["week_start"].max()
    assert isinstance(first, date) and isinstance(last, date)
    weeks = pd.date_range(first + timedelta(days=6), last + timedelta(days=6), freq="7D")
    return found.reindex(weeks).fillna(0.0)


def past_features(settings: Settings, features_ref: str, ubigeo: str) -> pd.DataFrame:
    """All weeks of a district in a version of the feature table, oldest first."""
    import pyarrow.compute as pc
    from deltalake import DeltaTable

    zone, name, version = delta.parts(features_ref)
    rows = reading.dataset(DeltaTable(str(settings.table(zone, name)), version=version))
    found: pd.DataFrame = rows.to_table(filter=pc.field("ubigeo") == ubigeo).to_pandas()
    return found.sort_values("event_timestamp", ignore_index=True)
