"""A place that falls silent all at once: its newest periods are not known, rather than zero.

An outage of reporting is not the end of an epidemic. A zero is not believed where it was hardly
possible: the count of a place, or of a group that it lies in, is taken as negative binomial about
the periods before, and a silence of less chance than `CHANCE` is doubted. Only what had happened
by a period decides about it, so that backtests, training sets and answers see the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from yupana.tasks.forecast.checks.counts import SIZE
from yupana.tasks.forecast.checks.window import SCALES
from yupana.tasks.forecast.entities import ENTITY
from yupana.tasks.forecast.frequency import Frequency

if TYPE_CHECKING:
    import polars as pl

CHANCE = 0.001
"""With `SIZE` a period without a case is doubted from 27 cases a period on, two from 13.5. Of 615
districts of Peru in 2010-2021 that were two silences, of three weeks together."""

BEFORE, LATELY = 4, 2
"""Periods whose means a silence is held against; the lower of both counts, since what fades may
end."""

EVIDENCE = 2.0
"""Periods of a silence that speak against it: in more of them, an outbreak may have ended."""


def mark(panel: pl.DataFrame, groups: Iterable[pl.Expr], frequency: Frequency) -> pl.DataFrame:
    """Tell which zeros are doubted, and what stands for them in sums of groups.

    A silence that lasts as long as reports may come late is believed: nothing more will come.

    Args:
        panel: sorted by `ENTITY` and period; the period's first day, `cases`, `completeness`.
        groups: expressions that name the groups of an entity.

    Returns:
        The panel with `silent` (periods without a case, up to this one, that are doubted; 0: the
        count is believed) and `expected` (cases: those reported; of a silent period, the mean of
        the last `BEFORE` that were not).
    """
    import polars as pl

    period, longest = frequency.column, SCALES[frequency.name].late
    marked = panel.with_columns(_doubted(ENTITY, longest).alias("silent"))
    for group in groups:
        by = panel.group_by(group.alias("_group"), period).agg(
            pl.sum("cases"), pl.first("completeness")
        )
        doubts = by.sort("_group", period).with_columns(_doubted("_group", longest).alias("_all"))
        marked = (
            marked.with_columns(group.alias("_group"))
            .join(doubts.select("_group", period, "_all"), on=["_group", period], how="left")
            .with_columns(silent=pl.max_horizontal("silent", "_all"))
            .drop("_group", "_all")
        )
    marked = marked.sort(ENTITY, period)
    mean = pl.col("cases").rolling_mean(BEFORE, min_samples=1)
    before = mean.gather((pl.int_range(pl.len()) - pl.col("silent")).clip(0)).over(ENTITY)
    expected = pl.when(pl.col("silent") > 0).then(before).otherwise("cases")
    return marked.with_columns(expected.alias("expected"))


def newest_silence(key: str) -> pl.Expr:
    """Whether a period is of the silence that a place's newest period ends, if it is doubted."""
    import polars as pl

    back = pl.int_range(pl.len(), 0, -1).over(key)
    return back <= pl.col("silent").last().over(key)


def _doubted(key: str, longest: int) -> pl.Expr:
    """Length of the silence up to a period, 0 where it is believed."""
    import polars as pl

    zero = pl.col("cases") == 0
    number = zero.rle_id().over(key)
    run = pl.int_range(1, pl.len() + 1).over(key, number)
    level = pl.min_horizontal(
        pl.col("cases").rolling_mean(n, min_samples=n).over(key) for n in (BEFORE, LATELY)
    )
    before = pl.when(~zero).then(level).forward_fill().over(key)
    # Of a period that is reported in part, so much less was to be seen.
    seen = pl.col("completeness").cum_sum().over(key, number).clip(upper_bound=EVIDENCE)
    chance = (SIZE / (SIZE + before * seen)) ** SIZE
    silent = zero & (run < longest) & (chance < CHANCE)
    return pl.when(silent).then(run).otherwise(0)
