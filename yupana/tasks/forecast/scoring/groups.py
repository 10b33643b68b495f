"""For whom a model is good: its WIS by horizon, by province and by size of district."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from yupana.core.evaluation import Group
from yupana.data.national import areas
from yupana.tasks.forecast.scoring import intervals
from yupana.tasks.forecast.scoring.scores import METRIC

if TYPE_CHECKING:
    import pandas as pd

SIZES = ("small", "medium", "large")
_COVERAGE = {name: name.replace("inside", "coverage") for name in intervals.INSIDE}
NEW = "new"
"""Size of a district without a row to learn from."""


def scores(by_row: pd.DataFrame, frame: pd.DataFrame, groups: Sequence[str]) -> list[Group]:
    """WIS of every model by group.

    Args:
        by_row: scores, as `intervals.read` gives them, with `entity`.
        frame: the training set, with `entity`, `target_1` and `part`.
        groups: of the spec, the widest first; scores are told of the smallest.

    Returns:
        By `group` (horizon, that group, size) and `of` (periods ahead; its code; third of the
        entities by mean cases in part `train`), `n` counts, and by model `wis`, in cases,
        `coverage_50` and `coverage_90`, shares of the counts inside these intervals.
    """
    entity = by_row["entity"].astype(str)
    by: dict[str, pd.Series] = {
        "horizon": by_row["horizon"].astype(int),
        **{level: _areas(entity, level) for level in groups[-1:] if level in areas.DIGITS},
        "size": entity.map(sizes(frame)).fillna(NEW),
    }
    results = []
    for group, of in by.items():
        table = intervals.by_group(by_row, of)
        counts = table.pop("n")
        order = [s for s in (*SIZES, NEW) if s in table.index] if group == "size" else table.index
        shares = {c: intervals.by_group(by_row, of, i) for i, c in _COVERAGE.items()}
        means = {METRIC: table} | shares
        for name in order:
            by_model = {
                str(m): {metric: float(t[m][name]) for metric, t in means.items()}
                for m in table.columns
            }
            n = int(counts.loc[name])
            results.append(Group(group=group, of=str(name), n=n, scores=by_model))
    return results


def _areas(entities: pd.Series, level: str) -> pd.Series:
    return entities.map({e: areas.area(e, level) for e in entities.unique()})


def sizes(frame: pd.DataFrame) -> dict[str, str]:
    """By district, the third that it belongs to by its mean cases in part `train`."""
    train = frame[frame["part"] == "train"]
    means = train.groupby(train["entity"].astype(str))["target_1"].mean()
    return thirds(means.sort_values(kind="stable").index.tolist())


def thirds(ordered: Sequence[str]) -> dict[str, str]:
    """The size of each entity by its third; the entities come in order, the smallest first."""
    return {e: SIZES[len(SIZES) * place // len(ordered)] for place, e in enumerate(ordered)}
