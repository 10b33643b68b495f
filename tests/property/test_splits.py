"""No group, patient or week is ever in two parts, whatever the rows."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yupana.core.errors import TerminalError
from yupana.features import splits

SHARES = {"train": 0.5, "validation": 0.25, "test": 0.25}
names = st.lists(st.text("abcdef0123", min_size=1, max_size=6), min_size=80, max_size=200)


def rows(groups: list[str]) -> pd.DataFrame:
    # Many groups beside those drawn, so that no part is empty.
    many = groups + [f"g{i}" for i in range(60)]
    return pd.DataFrame(
        {"text": many, "topic": [("water", "roads")[i % 2] for i in range(len(many))]}
    )


@settings(max_examples=25, deadline=None)
@given(names, st.integers(0, 9))
def test_a_group_is_in_one_part_and_stays_there(groups: list[str], seed: int) -> None:
    frame = rows(groups)
    split = splits.by_group(frame, "text", seed=seed, shares=SHARES)
    splits.check_disjoint(split, ["text"])
    later = splits.by_group(rows([*groups, "later", *groups]), "text", seed=seed, shares=SHARES)
    before = split.drop_duplicates("text").set_index("text")["part"]
    after = later.drop_duplicates("text").set_index("text")["part"]
    assert (after.reindex(before.index) == before).all()


@settings(max_examples=25, deadline=None)
@given(names, st.integers(0, 9))
def test_strata_keep_their_shares(groups: list[str], seed: int) -> None:
    split = splits.stratified(rows(groups), "topic", "text", seed=seed, shares=SHARES)
    splits.check_disjoint(split, ["text"])
    one = split.drop_duplicates("text")
    assert one["part"].value_counts(normalize=True)["train"] == pytest.approx(0.5, abs=0.05)


def test_time_has_gaps_as_long_as_the_horizon() -> None:
    weeks = splits.Lengths(test=4, validation=3, gap=2, train_at_least=5)
    frame = pd.DataFrame({"week": [*range(20), *range(20)]})
    part = splits.by_time(frame, "week", weeks).drop_duplicates("week")["part"].tolist()
    assert part == ["train"] * 9 + ["gap"] * 2 + ["validation"] * 3 + ["gap"] * 2 + ["test"] * 4
    with pytest.raises(TerminalError, match="15 periods are too few"):
        splits.by_time(frame[frame["week"] < 15], "week", weeks)


def test_a_shared_patient_is_named() -> None:
    frame = pd.DataFrame({"patient": ["p1", "p2", "p1"], "part": ["train", "test", "test"]})
    with pytest.raises(TerminalError, match="1 values of patient") as error:
        splits.check_disjoint(frame, ["patient"])
    assert "p1" in str(error.value)


def test_rows_without_a_group_and_empty_parts_are_refused() -> None:
    with pytest.raises(TerminalError, match="1 rows have no text"):
        splits.by_group(pd.DataFrame({"text": ["a", None]}), "text", seed=1)
    with pytest.raises(TerminalError, match="came into"):
        splits.by_group(pd.DataFrame({"text": ["a"]}), "text", seed=1)
