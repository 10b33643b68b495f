"""Score a candidate and the baselines on the test weeks, and keep what monitoring compares with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from yupana.core import usecase
from yupana.core.errors import TerminalError
from yupana.core.forecast import QUANTILES
from yupana.evaluation import calibration, figures, groups, reproduce
from yupana.evaluation.report_numbers import BAND
from yupana.evaluation.scores import score
from yupana.tracking import intervals


def evaluate(use_case: str, candidate: Path, rows_path: Path, *, seed: int) -> dict[str, Any]:
    """Scores by model, the final one and each baseline, on the part `test` of a split.

    Writes into the candidate's folder `evaluation.json` (the scores, and under `groups` what
    `groups.scores` gives), `calibration.png` (histogram of the final model's PIT) and
    `reference.parquet` (test rows with the one-week median). A target that is not known yet is
    left out of the scores.

    Args:
        seed: of the randomised PIT.

    Raises:
        TerminalError: the split has no test rows.
    """
    import pandas as pd

    room = usecase.load("models", use_case)
    frame = pd.read_parquet(rows_path)
    test = frame[frame["part"] == "test"].reset_index(drop=True)
    if test.empty:
        raise TerminalError(
            "The split has no test rows.", where=str(rows_path), fix="Publish more weeks."
        )
    observed = test[[f"target_{h}" for h in room.HORIZONS]].to_numpy(dtype=float)
    forecasters = {room.FINAL: room.load(candidate), **room.baselines(frame)}
    forecasts = {n: f.quantiles(test, QUANTILES) for n, f in forecasters.items()}
    reproduce.keep(candidate, test, observed, forecasts, room.FINAL)
    scores = {n: score(observed, f) for n, f in forecasts.items()}
    kept = intervals.read(candidate)
    assert kept is not None
    told = {**scores, "groups": groups.scores(kept, frame)}
    (candidate / "evaluation.json").write_text(json.dumps(told, indent=1))
    _calibration(candidate, observed, forecasts[room.FINAL], seed)
    median = forecasts[room.FINAL][:, 0, QUANTILES.index(0.5)]
    reference = test.drop(columns=["part", *(f"target_{h}" for h in room.HORIZONS[1:])])
    reference.assign(forecast_median_1=median).to_parquet(candidate / "reference.parquet")
    return scores


def _calibration(candidate: Path, observed: Any, forecast: Any, seed: int) -> None:
    import numpy as np

    known = ~np.isnan(observed)
    values = calibration.randomised_pit(observed[known], forecast[known], seed=seed)
    drawn = figures.pit(
        "calibration", "Calibración · Calibration", calibration.deciles(values), BAND
    )
    (candidate / f"{drawn.name}.png").write_bytes(drawn.png)
