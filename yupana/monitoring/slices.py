"""Drift by period and by group: Evidently's own tests and distances, without a page for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from yupana.monitoring import report
from yupana.monitoring.answers import ENTITY, PERIOD

if TYPE_CHECKING:
    import polars as pl

    from yupana.monitoring.kind import Groups

FEWEST = 20
"""Answers that a comparison needs on each side."""

NEW = "new"
"""Group of an entity that the test window does not have."""

PERIODS = {
    "before": ("la ventana anterior", "the window before"),
    "season": ("la misma época del año pasado", "the same season last year"),
}
BY_PERIOD = "period"
YEAR = timedelta(weeks=52)


@dataclass(frozen=True)
class Slice:
    """One comparison: of which answers, with what."""

    by: str
    of: str
    reference: pl.DataFrame
    current: pl.DataFrame


def periods(answers: pl.DataFrame, last: date, weeks: int) -> list[Slice]:
    """The answers of a window against those of the window before, and of the same season."""
    now = _window(answers, last, weeks)
    before = _window(answers, last - timedelta(weeks=weeks), weeks)
    season = _window(answers, last - YEAR, weeks)
    return [Slice(BY_PERIOD, "before", before, now), Slice(BY_PERIOD, "season", season, now)]


def of_groups(
    reference: pl.DataFrame, answers: pl.DataFrame, groups: Groups
) -> Iterator[Slice]:
    """The answers of each group of entities against its part of the test window.

    Args:
        groups: by grouping, the group of each entity; an entity without one is `NEW`.
    """
    import polars as pl

    for by, members in groups.items():
        of = pl.col(ENTITY).replace_strict(dict(members), default=NEW, return_dtype=pl.String)
        for one in sorted(answers.select(of.unique().alias("of"))["of"].to_list()):
            here = of == one
            yield Slice(by, one, reference.filter(here), answers.filter(here))


def drift(every: list[Slice], numbers: list[str], texts: list[str]) -> list[dict[str, Any]]:
    """How far each comparison's sides are apart.

    Returns:
        A dict a slice, for JSON: `by` (`BY_PERIOD` or a grouping), `of`, `rows_reference`,
        `rows_current`, `enough` (whether both have `FEWEST`), and where they have: `compared`,
        `drifted` (columns), `share_drifted`, `threshold`, `scores` by column.
    """
    results: list[dict[str, Any]] = []
    for one in every:
        sizes = [len(one.reference), len(one.current)]
        facts: dict[str, Any] = {
            "by": one.by,
            "of": one.of,
            "rows_reference": sizes[0],
            "rows_current": sizes[1],
            "enough": min(sizes) >= FEWEST,
        }
        if facts["enough"]:
            facts |= _compare(one, sizes, numbers, texts, len(every))
        results.append(facts)
    return results


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
    scores = {}
    for column in (*numbers, *texts):
        pair = [f[column].drop_nulls().to_pandas() for f in (one.reference, one.current)]
        if all(len(values) for values in pair):
            scores[column] = report.score(*pair, number=column in numbers, tested=tested)
    return scores


def _window(answers: pl.DataFrame, last: date, weeks: int) -> pl.DataFrame:
    import polars as pl

    first = last - timedelta(weeks=weeks)
    return answers.filter(pl.col(PERIOD) > first, pl.col(PERIOD) <= last)
