"""For whom a model is good: its WIS by horizon, by province and by size of district."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from yupana.tracking import intervals
from yupana.tracking.verdict import METRIC

if TYPE_CHECKING:
    import pandas as pd

SIZES = ("small", "medium", "large")
_COVERAGE = {name: name.replace("inside", "coverage") for name in intervals.INSIDE}
NEW = "new"
"""Size of a district without a row to learn from."""


def scores(kept: pd.DataFrame, frame: pd.DataFrame) -> list[dict[str, Any]]:
    """WIS of every model by group.

    Args:
        kept: scores by row, as `intervals.read` gives them.
        frame: the training set, with `ubigeo`, `target_1` and `part`.

    Returns:
        A dict a group: `group` (horizon, province, size), `of` (weeks ahead; four digits; third
        of the districts by mean cases in part `train`), `n` counts, and by model `wis`, in cases,
        `coverage_50` and `coverage_90`, shares of the counts inside these intervals.
    """
    ubigeo = kept["ubigeo"].astype(str)
    by: dict[str, pd.Series] = {
        "horizon": kept["horizon"].astype(int),
        "province": ubigeo.str[:4],
        "size": ubigeo.map(sizes(frame)).fillna(NEW),
    }
    found = []
    for group, of in by.items():
        table = intervals.by_group(kept, of)
        counts = table.pop("n")
        order = [s for s in (*SIZES, NEW) if s in table.index] if group == "size" else table.index
        means = {METRIC: table} | {c: intervals.by_group(kept, of, i) for i, c in _COVERAGE.items()}
        for name in order:
            told = {
                metric: {str(m): float(t[m][name]) for m in table.columns}
                for metric, t in means.items()
            }
            found.append({"group": group, "of": str(name), "n": int(counts.loc[name]), **told})
    return found


def sizes(frame: pd.DataFrame) -> dict[str, str]:
    """By district, the third that it belongs to by its mean cases in part `train`."""
    train = frame[frame["part"] == "train"]
    means = train.groupby(train["ubigeo"].astype(str))["target_1"].mean()
    place = means.rank(method="first") - 1
    return {str(u): SIZES[int(len(SIZES) * p // len(means))] for u, p in place.items()}
