"""A model's own test: rows with the answers that it gave when it was deployed.

Weights that were cut, another version of a library or another processor show here, before anyone
is answered.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from yupana.core.errors import TerminalError
from yupana.tasks.forecast.entities import inward
from yupana.tasks.forecast.quantiles import QUANTILES, Forecaster

if TYPE_CHECKING:
    import pandas as pd

FILE = "selftest.npz"
ROWS = 16
WITHIN = 1.0
"""Cases by which an answer may differ: sums in another order round to the next case."""


def write(folder: Path, forecaster: Forecaster, rows: pd.DataFrame, key: str) -> None:
    """Keep the answers to the last rows, with the rows, beside the model.

    Args:
        rows: features, with the use case's key as they are kept.
    """
    import numpy as np

    mine = rows.tail(ROWS).reset_index(drop=True)
    mine.to_parquet(folder / "selftest.parquet")
    np.savez(folder / FILE, told=forecaster.quantiles(inward(mine, key), QUANTILES))


def run(folder: Path, forecaster: Forecaster, key: str) -> None:
    """Ask a loaded model again.

    Raises:
        TerminalError: it does not answer as it did, or gives what is no forecast.
    """
    import numpy as np
    import pandas as pd

    with np.load(folder / FILE) as stored:
        expected = stored["told"]
    rows = inward(pd.read_parquet(folder / "selftest.parquet"), key)
    answers = forecaster.quantiles(rows, QUANTILES)
    where = f"{folder}, {FILE}"
    fix = "Deploy it again where it was trained, or promote another version."
    falls = (np.diff(answers, axis=-1) < 0).any()
    if not np.isfinite(answers).all() or (answers < 0).any() or falls:
        raise TerminalError("The model gives what is no forecast.", where=where, fix=fix)
    if answers.shape != expected.shape or np.abs(answers - expected).max() > WITHIN:
        raise TerminalError("The model does not answer as it did.", where=where, fix=fix)
