"""No patient or week is ever in two parts."""

from __future__ import annotations

import pandas as pd
import pytest

from yupana.core.errors import TerminalError
from yupana.features import splits


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
