"""What models said of held-out texts, as a candidate's folder keeps it: a row a text and model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from yupana.tasks.classify.dataset.texts import ENTITY, GROUP, LABEL
from yupana.tasks.classify.scoring.metrics import Predictions

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray[Any, np.dtype[Any]]

FILE, SCORED = "held_out.parquet", "test_scores.parquet"
"""What the fit keeps of its own models, and what an evaluation adds of the baselines."""

MODEL, SAID, CONFIDENCE = "model", "said", "confidence"


def table(rows: pd.DataFrame, said: dict[str, Array], names: tuple[str, ...]) -> pd.DataFrame:
    """Rows of `entity`, `group`, `label`, `model`, `said` (label) and `confidence` (0-1).

    Args:
        rows: of a training set.
        said: by model, probabilities (texts, labels).
        names: of the labels, in the order of the probabilities.
    """
    import pandas as pd

    labels = np.array(names, dtype=object)
    of = rows[[ENTITY, GROUP, LABEL]].reset_index(drop=True)
    return pd.concat(
        [
            of.assign(
                **{MODEL: model, SAID: labels[p.argmax(axis=1)], CONFIDENCE: p.max(axis=1)}
            )
            for model, p in said.items()
        ],
        ignore_index=True,
    )


def write(folder: Path, scored: pd.DataFrame, name: str = FILE) -> None:
    """Keep a table of `table` in a candidate's folder."""
    scored.to_parquet(folder / name, index=False)


def read(folder: Path, name: str = FILE) -> pd.DataFrame:
    """What `write` kept; no rows where nothing was."""
    import pandas as pd

    path = folder / name
    empty = pd.DataFrame(columns=[ENTITY, GROUP, LABEL, MODEL, SAID, CONFIDENCE])
    return pd.read_parquet(path) if path.exists() else empty


def predictions(scored: pd.DataFrame, model: str) -> Predictions:
    """Those of a model, in the order of the rows."""
    mine = scored[scored[MODEL] == model]
    return Predictions(
        mine[LABEL].to_numpy(), mine[SAID].to_numpy(), mine[CONFIDENCE].to_numpy(dtype=float)
    )
