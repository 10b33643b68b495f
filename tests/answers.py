"""Records for tests of the prediction log."""

from __future__ import annotations

from typing import Any

from yupana.predictions.entry import Basis
from yupana.predictions.prediction_log import Prediction, PredictionRecord, new_id
from yupana.predictions.prediction_log import prediction as of_content

NOON = 1_772_366_400.0


def prediction(
    entity: str = "160101", model: str = "3", use_case: str = "outbreak", **features: Any
) -> Prediction:
    """A forecast of eight weeks, named by its content."""
    weeks = [
        {"horizon": h, "week_ending": f"2022-01-{1 + 7 * ((h - 1) % 4):02}", "median": h + 0.5}
        for h in range(1, 9)
    ]
    basis = Basis(
        use_case, model, f"{use_case}:{model}", f"delta:features/{use_case}_weekly@2", "2022-01-01"
    )
    return of_content(
        basis, entity, {"weeks": weeks}, payload_version=1,
        features={"rain_mm": 12.5, **features}, caveats=[{"code": "pooled", "es": "año"}],
    )  # fmt: skip


def record(
    content: Prediction | None = None, time: float = NOON, horizon: int = 8, kind: str = "answer",
    agency: str = "A",
) -> PredictionRecord:  # fmt: skip
    """One record of the agency A."""
    parameters = {"as_of": "2022-01-05", "horizon": horizon}
    return PredictionRecord(
        new_id(time), time, content or prediction(), parameters, "k1", agency, kind, "r1"
    )
