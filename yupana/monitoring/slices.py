"""Drift by period and by group: Evidently's own tests and distances, without a page for each."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from yupana.monitoring import counts, evidently_counts, report
from yupana.monitoring.answers import PLACE, WEEK

if TYPE_CHECKING:
    import polars as pl

FEWEST = 20
"""Answers that a comparison needs on each side."""

AREAS = {"department": 2, "province": 4}
SIZES = ("small", "medium", "large")
YEAR = timedelta(weeks=52)


@dataclass(frozen=True)
class Slice:
    """One comparison: of which answers, with what."""

    by: str
    of: str
    reference: pl.DataFrame
    current: pl.DataFrame


def periods(answers: pl.DataFrame, week: date, weeks: int) -> list[Slice]:
    """The answers of a window against those of the window before, and of the same season."""
    now = _window(answers, week, weeks)
    before = _window(answers, week - timedelta(weeks=weeks), weeks)
    season = _window(answers, week - YEAR, weeks)
    return [Slice("period", "before", before, now), Slice("period", "season", season, now)]


def groups(
    reference: pl.DataFrame, answers: pl.DataFrame, sizes: dict[str, str]
) -> Iterator[Slice]:
    """The answers of each department, province and size of district against its test weeks.

    Args:
        sizes: of the districts by ubigeo, as `sizes_of` gives them.
    """
    import polars as pl

    by: dict[str, pl.Expr] = {
        name: pl.col(PLACE).str.head(digits) for name, digits in AREAS.items()
    }
    by["size"] = pl.col(PLACE).replace_strict(sizes, default="new", return_dtype=pl.String)
    for name, of in by.items():
        for one in sorted(answers.select(of.unique().alias("of"))["of"].to_list()):
            here = of == one
            yield Slice(name, one, reference.filter(here), answers.filter(here))


def sizes_of(reference: pl.DataFrame, column: str) -> dict[str, str]:
    """By ubigeo, the third that a district belongs to by the mean of a column."""
    import polars as pl

    means = reference.group_by(PLACE).agg(pl.col(column).mean()).sort(column, PLACE)
    places = means[PLACE].to_list()
    return {u: SIZES[len(SIZES) * n // len(places)] for n, u in enumerate(places)}


def drift(every: list[Slice], numbers: list[str], texts: list[str]) -> list[dict[str, Any]]:
    """What each comparison found.

    Returns:
        A dict a slice: `by` (period, department, province, size), `of`, `rows_reference`,
        `rows_current`, `enough` (whether both have `FEWEST`), and where they have: `compared`,
        `drifted` (columns), `share_drifted`, `threshold`, `scores` by column.
    """
    found: list[dict[str, Any]] = []
    for one in every:
        sizes = [len(one.reference), len(one.current)]
        told: dict[str, Any] = {
            "by": one.by,
            "of": one.of,
            "rows_reference": sizes[0],
            "rows_current": sizes[1],
            "enough": min(sizes) >= FEWEST,
        }
        if told["enough"]:
            told |= _compare(one, sizes, numbers, texts, len(every))
        found.append(told)
    return found


def _compare(
    one: Slice, sizes: list[int], numbers: list[str], texts: list[str], slices: int
) -> dict[str, Any]:
    tested = min(sizes) <= report.MANY
    scores = _scores(one, numbers, texts, tested)
    threshold = report.threshold_of(tested, max(1, len(scores)) * slices)
    drifted = [c for c, s in scores.items() if s == s and (s < threshold) is tested]
    return {
        "compared": list(scores),
        "drifted": drifted,
        "share_drifted": round(len(drifted) / max(1, len(scores)), 4),
        "threshold": threshold,
        "scores": {c: s if s == s else None for c, s in scores.items()},
    }


def _scores(one: Slice, numbers: list[str], texts: list[str], tested: bool) -> dict[str, float]:
    sides = [frame.to_arrow() for frame in (one.reference, one.current)]
    if not tested:
        read = [counts.read(side) for side in sides]
        _, scored = evidently_counts.score(read[0], read[1], numbers, texts)
        return {c: s.score for c, s in scored.items()}
    scores = {}
    for column in (*numbers, *texts):
        pair = [f[column].drop_nulls().to_pandas() for f in (one.reference, one.current)]
        if all(len(values) for values in pair):
            scores[column] = _tested(pair[0], pair[1], column in numbers)
    return scores


def _tested(reference: Any, current: Any, number: bool) -> float:
    from evidently.legacy.calculations.stattests import get_stattest
    from evidently.legacy.core import ColumnType

    kind = ColumnType.Numerical if number else ColumnType.Categorical
    test = get_stattest(reference, current, kind, "ks" if number else "chisquare")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(test(reference, current, kind, report.ALPHA).drift_score)


def _window(answers: pl.DataFrame, week: date, weeks: int) -> pl.DataFrame:
    import polars as pl

    first = week - timedelta(weeks=weeks)
    return answers.filter(pl.col(WEEK) > first, pl.col(WEEK) <= week)
