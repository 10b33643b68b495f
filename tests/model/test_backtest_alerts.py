"""The alerts of a backtest: channels from the past alone, scores by horizon, missed alerts."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from yupana.tasks.forecast.backtest import alerts, channels, missed
from yupana.tasks.forecast.backtest.panel import Panel
from yupana.tasks.forecast.frequency import MONTH, WEEK, Frequency
from yupana.tasks.forecast.quantiles import LEVELS

FIRST = date(2010, 1, 3)
ORIGINS = {WEEK: date(2018, 6, 2), MONTH: date(2018, 5, 31)}
QUIET, BUSY = "160101", "160102"


def panel_of(frequency: Frequency, after: int = 0, **of: int) -> Panel:
    """Counts that fall with the year and differ by place, and `after` more from the origin on."""
    starts = frequency.calendar(frequency.start(FIRST), date(2020, 1, 1))
    rows = [
        (entity, start, n + 2020 - start.year + (after if start > ORIGINS[frequency] else 0))
        for entity, n in ({QUIET: 0, BUSY: 50} | of).items()
        for start in starts
    ]
    names = ["entity", frequency.column, "cases"]
    return Panel(pl.DataFrame(rows, schema=names, orient="row"), frequency, 8)


def rows_of(frequency: Frequency, horizons: tuple[int, ...], **values: float) -> pd.DataFrame:
    """Forecasts of one origin; each quantile is 10 cases, unless said."""
    at = ORIGINS[frequency]
    keys = [("pool", "district", entity, at, h, 12.0) for entity in (QUIET, BUSY) for h in horizons]
    names = ["model", "series", "entity", "origin", "horizon", "observed"]
    quantiles = {name: values.get(name.replace(".", "_"), 10.0) for name in LEVELS}
    return pd.DataFrame(keys, columns=names).assign(**quantiles)


@pytest.mark.parametrize(("frequency", "horizons"), [(WEEK, (1, 8)), (MONTH, (1, 12))])
def test_a_channel_looks_at_nothing_after_the_origin(
    frequency: Frequency, horizons: tuple[int, ...]
) -> None:
    rows = rows_of(frequency, horizons)
    known, later = (
        channels.beside(rows, {"district": panel_of(frequency, after)}) for after in (0, 1000)
    )
    pd.testing.assert_frame_equal(known, later)
    assert known[channels.HIGH].notna().all()


def test_the_channel_is_the_upper_quartile_and_its_rate_the_share_above_it() -> None:
    rows = channels.beside(rows_of(WEEK, (4,)), {"district": panel_of(WEEK)})
    # Three weeks of each of the years 2011 to 2017: 9 to 3, and 50 more.
    past = np.repeat(np.arange(3.0, 10), 3)
    high = np.quantile(past, 0.75)
    assert rows.set_index("entity")[channels.HIGH].to_dict() == {QUIET: high, BUSY: high + 50}
    assert rows[channels.RATE].tolist() == pytest.approx([(past > high).mean()] * 2)


def test_a_history_too_short_gives_no_channel_and_no_report() -> None:
    panel = panel_of(WEEK)
    young = Panel(panel.rows.filter(pl.col("week_start") > date(2016, 1, 1)), WEEK, 8)
    rows = channels.beside(rows_of(WEEK, (4,)), {"district": young})
    assert rows[channels.HIGH].isna().all()
    assert alerts.report(rows, 4) is None


def scored(**changes: Any) -> pd.DataFrame:
    """Four forecasts with a limit of 5: sure of 10 cases, twice that came, twice not."""
    rows = pd.concat([rows_of(WEEK, (1, 8))], ignore_index=True)
    came = [12.0, 12.0, 12.0, 0.0]
    return rows.assign(observed=came, channel_high=5.0, channel_rate=0.25, **changes)


def test_scores_are_by_horizon_and_against_the_channel() -> None:
    report = alerts.report(scored(), 1)
    assert report is not None
    by = {s.horizon: s for s in report.scores}
    # All quantiles are 10: exceeding 5 is sure.
    assert [by[h].brier for h in (0, 1, 8)] == pytest.approx([0.25, 0, 0.5])
    # (3 × 0.75² + 0.25²) / 4, 0.75², (0.75² + 0.25²) / 2
    channel = [0.4375, 0.5625, 0.3125]
    assert [by[h].channel_brier for h in (0, 1, 8)] == pytest.approx(channel)
    assert by[8].skill == pytest.approx(1 - 0.5 / 0.3125)
    assert [r.horizons for r in report.reliability] == [(1, 8), (1, 1), (8, 8)]
    assert [r.expected_error for r in report.reliability] == pytest.approx([0.25, 0, 0.5])
    assert report.value[0].by_cost[0].hits == 2


def test_only_rows_with_a_channel_are_judged() -> None:
    rows = scored()
    rows.loc[3, "channel_high"] = np.nan
    report = alerts.report(rows, 1)
    assert report is not None and report.without_channel == 1
    assert report.scores[0].n == 3 and report.scores[0].brier == 0


def missed_of(
    count: int, near: int = 0, usual: int = 6, neighbour: int = 50, **values: float
) -> list[missed.Missed]:
    """Of a place with so many cases 4 weeks ahead, in the 8 weeks up to the origin, and before.

    Args:
        neighbour: cases of the other one in the 4 weeks up to the origin; 50 at all other times.
        values: quantiles, by default 10 cases from 0.9 on and none below.
    """
    week, mine = pl.col("week_start"), pl.col("entity") == QUIET
    rows = panel_of(WEEK).rows.with_columns(
        pl.when(~mine & week.is_between(date(2018, 5, 6), date(2018, 5, 27))).then(neighbour)
        .when(~mine).then(50)
        .when(week == date(2018, 6, 24)).then(count)
        .when(week > date(2018, 4, 7)).then(near)
        .otherwise(usual).alias("cases")
    )  # fmt: skip
    low = {name.replace(".", "_"): 0.0 for name in LEVELS[:-5]}
    judged = rows_of(WEEK, (4,), **(low | values)).assign(observed=float(count))
    panels = {"district": Panel(rows, WEEK, 8)}
    judged = channels.beside(judged[judged["entity"] == QUIET], panels)
    return missed.of(judged, panels, "pool")


def test_a_missed_alert_is_told_with_its_numbers_and_why() -> None:
    (one,) = missed_of(31, near=6)
    assert (one.origin, one.end) == ("2018-06-02", "2018-06-30")
    assert (one.observed, one.limit, one.median, one.upper) == (31, 6.0, 0.0, 10.0)
    assert one.probability == pytest.approx(0.17)  # 1 - (0.80 + 0.05 × 6.5 / 10)
    assert one.rule == "beyond" and one.es.startswith("De 6 a 31 casos en 4 semanas: subió")
    assert one.en.startswith("From 6 to 31 cases in 4 weeks")
    (quiet,) = missed_of(31)
    assert quiet.es == f"Sin casos en 4 semanas hasta el origen; p={quiet.probability:.2f}."
    (possible,) = missed_of(9, near=6)
    assert possible.rule == "possible" and f"p={possible.probability:.2f}" in possible.en
    assert [m.rule for m in missed_of(31, near=8)] == ["fall"]
    assert [m.rule for m in missed_of(9, near=7, usual=0)] == ["one_case"]
    (first,) = missed_of(9, usual=0)
    assert first.rule == "quiet" and "; a single case is above the limit" in first.en
    (risen,) = missed_of(31, neighbour=200)
    assert "; its neighbours in the province had risen before" in risen.en


def test_what_was_given_more_than_even_odds_was_not_missed() -> None:
    assert missed_of(31, **{name.replace(".", "_"): 10.0 for name in LEVELS}) == []
    assert missed_of(6) == []


def test_a_small_count_is_hidden_with_all_that_tells_it() -> None:
    (inside,) = missed_of(4, near=1, usual=2)
    assert (inside.observed, inside.limit, inside.median, inside.probability) == (None,) * 4
    # Above a limit of 1 and inside an interval that ends at 2 it would be 2.
    assert inside.rule == "possible" and inside.upper is None and "p=" not in inside.en
    (beyond,) = missed_of(4, near=1, usual=2, **{name.replace(".", "_"): 0.0 for name in LEVELS})
    assert beyond.rule == "beyond" and beyond.upper is None and "case" not in beyond.en
    # Of the limit of no case nothing follows that the mark of a hidden count does not tell.
    (any_case,) = missed_of(4, usual=0)
    assert (any_case.observed, any_case.limit, any_case.upper) == (None, 0, 10)


def test_a_hidden_count_before_the_origin_is_in_no_line() -> None:
    (one,) = missed_of(31, near=3)
    assert one.observed == 31 and one.rule == "beyond" and "3 " not in one.en


def test_reasons_are_counted_the_most_first() -> None:
    three = [*missed_of(31, near=8), *missed_of(31), *missed_of(31)]
    assert list(missed.reasons(three)) == [("quiet", 2), ("fall", 1)]
