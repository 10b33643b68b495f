"""Scores by row, as an evaluation keeps them, and how sure their means are: a bootstrap over whole
origin weeks."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.core.evaluation import Paired
from yupana.tasks.forecast.entities import outward
from yupana.tasks.forecast.scoring.scores import inside, weighted_interval_scores

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, np.dtype[np.float64]]

SCORES, FORECASTS = "test_scores.parquet", "forecasts.json"
RESAMPLES = 1000
INSIDE = {"inside_50": (0.25, 0.75), "inside_90": (0.05, 0.95)}
"""Columns of the scores that say whether a count lay in the interval between two levels."""

_SEED = 0


def keep(
    candidate: Path, test: pd.DataFrame, observed: Array, forecasts: dict[str, Array], final: str,
    key: str,
) -> None:  # fmt: skip
    """Keep of an evaluation what card and `reproduce` need: scores by row, and a hash.

    Args:
        test: the test rows, with `entity` and `event_timestamp`.
        observed: counts (rows, horizons), NaN where not known.
        forecasts: model → quantiles (rows, horizons, levels).
        final: name of the model itself.
        key: the use case's, under which entities are kept.
    """
    import numpy as np
    import pandas as pd

    row, horizon = np.nonzero(~np.isnan(observed))
    frames = [
        pd.DataFrame(
            {
                "model": name,
                "entity": test["entity"].to_numpy()[row],
                "origin": test["event_timestamp"].dt.date.to_numpy()[row],
                "horizon": horizon + 1,
                "observed": observed[row, horizon],
                "wis": weighted_interval_scores(observed[row, horizon], quantiles[row, horizon]),
                **{
                    name: inside(observed[row, horizon], quantiles[row, horizon], *ends)
                    for name, ends in INSIDE.items()
                },
            }
        )
        for name, quantiles in forecasts.items()
    ]
    rows = outward(pd.concat(frames, ignore_index=True), key)
    rows.to_parquet(candidate / SCORES, index=False)
    facts = {"sha256": forecast_sha256(forecasts[final]), "rows": len(test)}
    (candidate / FORECASTS).write_text(json.dumps(facts))


def forecast_sha256(quantiles: Array) -> str:
    """SHA-256 of a forecast's numbers and shape, in double precision."""
    import numpy as np

    numbers = np.ascontiguousarray(quantiles, dtype="<f8")
    return hashlib.sha256(str(numbers.shape).encode() + numbers.tobytes()).hexdigest()


def read(folder: Path) -> pd.DataFrame | None:
    """Scores by row: `model`, the key, `origin`, `horizon`, `observed`, `wis`, and `INSIDE` where
    the training is not older than these; None where none were kept."""
    import pandas as pd

    path = folder / SCORES
    return pd.read_parquet(path) if path.exists() else None


def of_means(scores: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """The 95 % interval of every model's mean WIS, and of its ratio to each other model's.

    Weeks are drawn whole, with replacement: districts of one week share its epidemic, and rows
    drawn singly would make the interval far too narrow. (Neighbouring weeks are alike too, so
    that it is still rather narrow than wide.)

    Returns:
        name → (low, high); a ratio is named `a/b`. Drawn alike at every call.
    """
    import numpy as np

    sums = scores.pivot_table(index="origin", columns="model", values="wis", aggfunc="sum")
    first = scores["model"] == sums.columns[0]
    counts = scores[first].groupby("origin").size().reindex(sums.index).to_numpy()
    draws = np.random.default_rng(_SEED).integers(0, len(sums), (RESAMPLES, len(sums)))
    means = sums.to_numpy()[draws].sum(axis=1) / counts[draws].sum(axis=1)[:, None]
    names = [str(c) for c in sums.columns]
    samples = {name: means[:, i] for i, name in enumerate(names)}
    samples |= {
        f"{a}/{b}": means[:, i] / means[:, j]
        for i, a in enumerate(names)
        for j, b in enumerate(names)
        if i != j and (means[:, j] > 0).all()
    }
    bounds = {k: np.quantile(v, [0.025, 0.975]) for k, v in samples.items()}
    return {k: (float(low), float(high)) for k, (low, high) in bounds.items()}


def paired(
    mine: Path, other: Path, final: str, key: str, *, block: int, fewest: int
) -> Paired | None:
    """The mean WIS of one candidate over that of another, on the rows that both were scored on.

    Only rows with the same count: a correction in between says nothing of either. Origins are
    drawn in blocks of neighbours (circular block bootstrap: Politis, Romano 1992): the periods
    ahead of one origin are mostly those of the next.

    Args:
        mine, other: folders that `keep` wrote to.
        final: name of the model itself in both.
        key: the use case's, under which entities are kept.
        block: neighbouring origins that are drawn together.
        fewest: origins that the two must share.

    Returns:
        None where scores by row were not kept, or the two share fewer origins.
    """
    import numpy as np

    tables = [read(folder) for folder in (mine, other)]
    if any(table is None for table in tables):
        return None
    if any("observed" not in table for table in tables if table is not None):
        return None
    units = [key, "origin", "horizon", "observed"]
    one, two = (t[t["model"] == final].set_index(units)["wis"] for t in tables if t is not None)
    rows = one.to_frame("one").join(two.rename("two"), how="inner")
    both = rows.groupby("origin").sum()
    n = len(both)
    if n < fewest or not both["two"].sum():
        return None
    sums = both.to_numpy()[resamples(n, block)].sum(axis=1)
    low, high = np.quantile(sums[:, 0] / np.maximum(sums[:, 1], 1e-12), [0.025, 0.975])
    ratio = float(both["one"].sum() / both["two"].sum())
    return Paired(n=len(rows), ratio=ratio, low=float(low), high=float(high))


def resamples(origins: int, block: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Which origins are drawn, in blocks of neighbours, shape (`RESAMPLES`, `origins` or up to
    `block` - 1 more); drawn alike at every call."""
    import numpy as np

    blocks = RESAMPLES, -(-origins // block), 1
    starts = np.random.default_rng(_SEED).integers(0, origins, blocks)
    return ((starts + np.arange(block)) % origins).reshape(RESAMPLES, -1)


def by_group(scores: pd.DataFrame, group: pd.Series, column: str = "wis") -> pd.DataFrame:
    """Mean of a column by group and model, one column a model; `n` counts were scored."""
    table = scores.assign(group=group).pivot_table(
        index="group", columns="model", values=column, aggfunc="mean"
    )
    first = scores["model"] == table.columns[0]
    return table.assign(n=group[first].value_counts().reindex(table.index))
