"""Simulations and explanations read what the online features came from, no later version."""

from __future__ import annotations

from pathlib import Path

import late_lake
import numpy as np
import pandas as pd
import pytest

from feature_repo import outbreak
from feature_repo.outbreak_weekly import FEATURES
from serving.study import sources
from serving.study.what_if import Change, features
from yupana.config.settings import Settings
from yupana.features import store

VERSIONS = 20
NEWEST = late_lake.HISTORY + VERSIONS - 1


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, str]:
    """A lake with late reports, and the reference of its features."""
    home: Path = tmp_path_factory.mktemp("sources")
    settings = late_lake.make(home, VERSIONS, late_lake.true_counts(NEWEST + 2))
    ref, _ = store.write_table(settings, outbreak)
    # Published after: the features do not know it.
    counts = late_lake.true_counts(NEWEST + 2) * 3
    late_lake.publish(settings, late_lake.known(counts, NEWEST + 1), late_lake.known_on(NEWEST + 1))
    return settings, ref.ref


def test_the_features_can_be_computed_again_from_what_they_name(
    made: tuple[Settings, str],
) -> None:
    settings, ref = made
    tables = sources.tables(settings, ref)
    assert tables["reporting"]["completeness"].min() < 0.6
    for ubigeo in late_lake.DISTRICTS:
        past = sources.past_features(settings, ref, ubigeo)
        assert past["event_timestamp"].is_monotonic_increasing and len(past) == NEWEST + 1 - 51
        again = features(tables, ubigeo, Change())
        assert again["event_timestamp"].iloc[0] == past["event_timestamp"].iloc[-1]
        names = list(FEATURES)
        np.testing.assert_allclose(again[names].iloc[0].to_numpy(float), past[names].iloc[-1])


def test_cases_are_a_complete_panel_as_reported(made: tuple[Settings, str]) -> None:
    cases = sources.cases(sources.tables(*made), "16")
    assert sorted(cases) == sorted(late_lake.DISTRICTS)
    assert cases.index[-1] == pd.Timestamp(late_lake.FIRST) + pd.Timedelta(weeks=NEWEST, days=6)
    assert (np.diff(cases.index) == np.timedelta64(7, "D")).all() and cases.notna().all().all()
    counts = late_lake.true_counts(NEWEST + 2)
    expected = late_lake.known(counts, NEWEST)["cases"].sum()
    assert cases.to_numpy().sum() == expected
    assert sources.cases(sources.tables(*made), "15").empty
