"""A row outside what the model was trained on is told, and far outside it is not answered."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from yupana.core.spec import Bilingual
from yupana.serving.notes import Note
from yupana.serving.training_ranges import TrainingRanges

SEEN = TrainingRanges(
    {"cases_lag_0": (0.0, 200.0), "week_sin": (-1.0, 1.0), "mean_52": (0.5, 40.5)}
)


def row(**values: float) -> pd.Series:
    inside = {"ubigeo": "160101", "cases_lag_0": 10.0, "week_sin": 0.3, "mean_52": 2.0}
    return pd.Series({**inside, **values})


def label(feature: str) -> Bilingual:
    return Bilingual(es="Casos recientes", en="Recent cases")


def check(values: pd.Series) -> tuple[list[Note], Note | None]:
    return SEEN.check(values, label)


def test_inside_nothing_is_said() -> None:
    assert check(row()) == ([], None)
    assert check(row(cases_lag_0=200.0, mean_52=0.5)) == ([], None)


def test_outside_there_is_a_caveat_that_names_the_value_and_the_range() -> None:
    caveats, refused = check(row(cases_lag_0=260.0))
    assert refused is None
    (caveat,) = caveats
    assert caveat["code"] == "outside_training"
    assert caveat["es"].startswith("Casos recientes: cases_lag_0")
    assert "260" in caveat["es"] and "0 a 200" in caveat["es"] and "0 to 200" in caveat["en"]


def test_far_outside_there_is_no_answer() -> None:
    assert check(row(cases_lag_0=399.0))[1] is None
    caveats, refused = check(row(cases_lag_0=401.0))
    assert caveats == [] and refused is not None and "lejos" in refused["es"]


def test_the_furthest_is_told_first_on_either_side() -> None:
    distances = SEEN.outside(row(cases_lag_0=210.0, mean_52=-39.5))
    assert list(distances) == ["mean_52", "cases_lag_0"]
    assert distances["mean_52"] == 1.0 and distances["cases_lag_0"] == 0.05


def test_a_model_tells_its_ranges_or_says_that_they_are_unknown(tmp_path: Path) -> None:
    document = {"features": ["cases_lag_0"], "lowest": [0.0], "highest": [200.0]}
    (tmp_path / "model.json").write_text(json.dumps(document))
    assert TrainingRanges.read(tmp_path).of == {"cases_lag_0": (0.0, 200.0)}
    (tmp_path / "model.json").write_text(json.dumps({"features": ["cases_lag_0"]}))
    caveats, refused = TrainingRanges.read(tmp_path).check(row(cases_lag_0=1e6), label)
    assert [c["code"] for c in caveats] == ["training_range_unknown"] and refused is None


def test_the_ranges_of_rows_are_their_lowest_and_highest() -> None:
    assert TrainingRanges.of_rows(pd.DataFrame({"a": [3.0, 1.0], "b": [0.0, 0.0]})).of == {
        "a": (1.0, 3.0),
        "b": (0.0, 0.0),
    }


def test_a_model_without_ranges_of_its_own_has_none(tmp_path: Path) -> None:
    assert TrainingRanges.read(tmp_path).of == {}
