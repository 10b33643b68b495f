"""Score a candidate and the baselines on the test weeks, and keep what monitoring compares with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from yupana.core.errors import TerminalError
from yupana.core.evaluation import Evaluation
from yupana.tasks.forecast.entities import inward, outward
from yupana.tasks.forecast.pages import figures
from yupana.tasks.forecast.quantiles import QUANTILES
from yupana.tasks.forecast.scoring import calibration, groups, intervals
from yupana.tasks.forecast.scoring.scores import METRIC, score

if TYPE_CHECKING:
    from yupana.tasks.forecast.usecases import ForecastUseCase


def evaluate(
    definition: ForecastUseCase, candidate: Path, rows_path: Path, *, seed: int
) -> Evaluation:
    """Scores by model, the final one and each baseline, on the part `test` of a split.

    Writes into the candidate's folder what `intervals.keep` does, `calibration.png` (histogram of
    the final model's PIT) and `reference.parquet` (test rows with the one-week median). A target
    that is not known yet is left out of the scores.

    Args:
        seed: of the randomised PIT.

    Raises:
        TerminalError: the split has no test rows.
    """
    import pandas as pd

    key = definition.spec.entity.key
    frame = inward(pd.read_parquet(rows_path), key)
    test = frame[frame["part"] == "test"].reset_index(drop=True)
    if test.empty:
        raise TerminalError(
            "The split has no test rows.", where=str(rows_path), fix="Publish more weeks."
        )
    observed = test[[f"target_{h}" for h in definition.horizons]].to_numpy(dtype=float)
    mine = {definition.final: definition.load_evaluated(candidate)}
    forecasters = mine | definition.baselines(frame)
    forecasts = {n: f.quantiles(test, QUANTILES) for n, f in forecasters.items()}
    intervals.keep(candidate, test, observed, forecasts, definition.final, key)
    by_row = intervals.read(candidate)
    assert by_row is not None
    _calibration(candidate, observed, forecasts[definition.final], seed)
    median = forecasts[definition.final][:, 0, QUANTILES.index(0.5)]
    later = [f"target_{h}" for h in definition.horizons[1:]]
    reference = outward(test.drop(columns=["part", *later]), key)
    reference.assign(forecast_median_1=median).to_parquet(candidate / "reference.parquet")
    return Evaluation(
        metric=METRIC,
        better="lower",
        final=definition.final,
        n=int((~np.isnan(observed)).sum()),
        scores={n: score(observed, f) for n, f in forecasts.items()},
        groups=tuple(
            groups.scores(inward(by_row, key), frame, definition.spec.entity.groups)
        ),
        intervals=intervals.of_means(by_row),
    )


def _calibration(candidate: Path, observed: Any, forecast: Any, seed: int) -> None:
    finite = ~np.isnan(observed)
    values = calibration.randomised_pit(observed[finite], forecast[finite], seed=seed)
    picture = figures.pit(
        "calibration", "Calibración · Calibration", calibration.deciles(values), calibration.BAND
    )
    (candidate / f"{picture.name}.png").write_bytes(picture.png)
