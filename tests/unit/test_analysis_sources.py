"""Simulations and explanations read what the online features came from, no later version."""

from __future__ import annotations

from pathlib import Path

import late_lake
import numpy as np
import pandas as pd
import pytest

from feature_repo.outbreak.weekly import FEATURES
from yupana.config.settings import Settings
from yupana.features import store
from yupana.lineage import events
from yupana.tasks.forecast import usecases
from yupana.tasks.forecast.dataset import sources as dataset_sources
from yupana.tasks.forecast.entities import outward
from yupana.tasks.forecast.serving.analysis import sources
from yupana.tasks.forecast.serving.analysis.what_if import Change, features

OUTBREAK = usecases.load("outbreak")
VERSIONS = 20
NEWEST = late_lake.HISTORY + VERSIONS - 1


@pytest.fixture(scope="module")
def feature_table(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, str]:
    """A lake with late reports, and the reference of its features."""
    home: Path = tmp_path_factory.mktemp("sources")
    settings = late_lake.make(home, VERSIONS, late_lake.true_counts(NEWEST + 2))
    refs = dataset_sources.current(settings, dataset_sources.sources(settings, OUTBREAK))
    frame = OUTBREAK.features(dataset_sources.at(settings, OUTBREAK, refs))
    table = OUTBREAK.spec.features.table
    ref = store.write_table(settings, table, outward(frame, "ubigeo"), refs)
    events.append(settings, "features", "outbreak", status="done", outputs=(ref.ref,))
    # Published after: the features do not know it.
    counts = late_lake.true_counts(NEWEST + 2) * 3
    rows = late_lake.vintage(counts, NEWEST + 1)
    late_lake.publish(settings, rows, late_lake.known_on(NEWEST + 1))
    return settings, ref.ref


def test_the_features_can_be_computed_again_from_what_they_name(
    feature_table: tuple[Settings, str],
) -> None:
    settings, ref = feature_table
    tables = sources.tables(settings, OUTBREAK, ref)
    assert tables["reporting"]["completeness"].min() < 0.6
    for entity in late_lake.DISTRICTS:
        past = sources.past_features(settings, OUTBREAK, ref, entity)
        assert past["event_timestamp"].is_monotonic_increasing and len(past) == NEWEST + 1 - 51
        again = features(OUTBREAK, tables, entity, Change())
        assert again["event_timestamp"].iloc[0] == past["event_timestamp"].iloc[-1]
        names = list(FEATURES)
        np.testing.assert_allclose(again[names].iloc[0].to_numpy(float), past[names].iloc[-1])


def test_cases_are_a_complete_panel_as_reported(feature_table: tuple[Settings, str]) -> None:
    settings, ref = feature_table
    cases = sources.cases(OUTBREAK, sources.tables(settings, OUTBREAK, ref), "16")
    assert sorted(cases) == sorted(late_lake.DISTRICTS)
    assert cases.index[-1] == pd.Timestamp(late_lake.FIRST) + pd.Timedelta(weeks=NEWEST, days=6)
    assert (np.diff(cases.index) == np.timedelta64(7, "D")).all() and cases.notna().all().all()
    counts = late_lake.true_counts(NEWEST + 2)
    expected = late_lake.vintage(counts, NEWEST)["cases"].sum()
    assert cases.to_numpy().sum() == expected
    assert sources.cases(OUTBREAK, sources.tables(settings, OUTBREAK, ref), "15").empty
