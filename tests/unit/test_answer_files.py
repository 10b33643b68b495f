"""A forecast as a spreadsheet: nothing of the answer is lost, and nothing of it is run."""

from __future__ import annotations

import csv
import io
from typing import Any

from yupana.tasks.forecast import usecases
from yupana.tasks.forecast.quantiles import LEVELS, QUANTILES
from yupana.tasks.forecast.serving import answer_files

OUTBREAK = usecases.load("outbreak")
WEEK = {
    "horizon": 1, "week_ending": "2022-01-08", "median": 3.0, "interval_80": [1.0, 10.0],
    "quantiles": {str(level): level * 100 for level in QUANTILES}, "alert": None,
    "exceedance": None,
}  # fmt: skip
CAVEATS = [
    {"code": "trial", "es": "A prueba, «ojo».", "en": "On trial."},
    {"code": "no_channel", "es": "Sin nivel.", "en": "No level."},
]


def lines(**changed: Any) -> list[dict[str, str]]:
    prediction = {
        "prediction_id": "0" * 32, "ubigeo": "160101", "model": "outbreak@1",
        "data_as_of": "2022-01-01", "alert": "exito", "weeks": [WEEK], "caveats": CAVEATS,
        **changed,
    }  # fmt: skip
    reason = {"ubigeo": "999999", "code": "unknown_district", "es": "Sin datos.", "en": "None."}
    answer = {"as_of": "2022-01-05", "predictions": [prediction], "abstentions": [reason]}
    text = answer_files.forecast_csv(answer, OUTBREAK)
    assert text.startswith("\ufeffubigeo,horizon,week_ending,median"), "Excel reads it as UTF-8"
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_caveats_and_abstentions_are_columns() -> None:
    one, none = lines()
    assert (one["caveats"], one["abstention"]) == ("trial no_channel", "")
    assert one["es"] == "A prueba, «ojo». Sin nivel."
    assert [float(one[name]) for name in LEVELS] == [level * 100 for level in QUANTILES]
    assert (one["low_80"], one["high_80"], one["alert"]) == ("1.0", "10.0", "")
    assert (none["abstention"], none["es"]) == ("unknown_district", "Sin datos.")
    assert none["median"] == ""
    assert none["as_of"] == one["as_of"] == "2022-01-05"


def test_no_text_is_a_formula() -> None:
    one, _ = lines(ubigeo="=1+1", model="@SUM(A1)")
    assert (one["ubigeo"], one["model"]) == ("'=1+1", "'@SUM(A1)")
