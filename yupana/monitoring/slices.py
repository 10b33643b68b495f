"""Drift by period and by group: Evidently's own tests and distances, without a page for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
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


@dataclass(frozen=True)
class ColumnDrift:
    """Columns of two tables compared.

    Attributes:
        compared, drifted: names of columns.
        share_drifted: 0-1, of the compared.
        threshold: p-value below which, or distance from which on, a column has drifted.
        scores: p-value or distance by column; None where there is none.
    """

    compared: list[str]
    drifted: list[str]
    share_drifted: float
    threshold: float
    scores: dict[str, float | None]


@dataclass(frozen=True)
class SliceDrift:
    """How far the sides of a comparison are apart.

    Attributes:
        by: `BY_PERIOD` or a grouping.
        of: the period or the group.
        rows_reference, rows_current: of each side; None where that would tell a small count.
        columns: None where a side has fewer than `FEWEST`.
    """

    by: str
    of: str
    rows_reference: int | None
    rows_current: int | None
    columns: ColumnDrift | None

    def document(self) -> dict[str, Any]:
        """As reports hold it: `columns` stands beside the others where it is there."""
        facts: dict[str, Any] = {
            "by": self.by, "of": self.of, "rows_reference": self.rows_reference,
            "rows_current": self.rows_current, "enough": self.columns is not None,
        }  # fmt: skip
        return facts | (asdict(self.columns) if self.columns else {})


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


def drift(every: list[Slice], numbers: list[str], texts: list[str]) -> list[SliceDrift]:
    """How far each comparison's sides are apart."""
    results = []
    for one in every:
        sizes = [len(one.reference), len(one.current)]
        enough = min(sizes) >= FEWEST
        columns = _compare(one, sizes, numbers, texts, len(every)) if enough else None
        results.append(SliceDrift(one.by, one.of, sizes[0], sizes[1], columns))
    return results


def _compare(
    one: Slice, sizes: list[int], numbers: list[str], texts: list[str], slices: int
) -> ColumnDrift:
    tested = min(sizes) <= report.MANY
    scores = _scores(one, numbers, texts, tested)
    threshold = report.threshold_of(tested, max(1, len(scores)) * slices)
    drifted = [c for c, s in scores.items() if s == s and (s < threshold) is tested]
    return ColumnDrift(
        compared=list(scores),
        drifted=drifted,
        share_drifted=round(len(drifted) / max(1, len(scores)), 4),
        threshold=threshold,
        scores={c: s if s == s else None for c, s in scores.items()},
    )


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
