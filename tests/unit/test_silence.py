"""Which zeros are doubted, on made-up counts: rule, shares, groups, and the features from them."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from models.outbreak import USE_CASE as outbreak
from yupana.tasks.forecast.dataset import newest, silence
from yupana.tasks.forecast.frequency import WEEK

FIRST = date(2018, 1, 7)
GROUPS = (pl.col("entity").str.head(4), pl.col("entity").str.head(2))


def doubted(counts: dict[str, list[int]], share: float = 1.0) -> dict[str, list[int]]:
    """Places of the doubted periods, by entity; `share` of the newest one is known."""
    frames = [
        pl.DataFrame(
            {
                "entity": [entity] * len(cases),
                "week_start": [FIRST + timedelta(weeks=n) for n in range(len(cases))],
                "cases": [float(c) for c in cases],
                "completeness": [*[1.0] * (len(cases) - 1), share],
            }
        )
        for entity, cases in counts.items()
    ]
    marked = silence.mark(pl.concat(frames).sort("entity", "week_start"), GROUPS, WEEK)
    doubts = marked.filter(pl.col("silent") > 0)
    weeks = pl.col("week_start").sub(FIRST).dt.total_days() // 7
    return {entity: doubts.filter(entity=entity).select(weeks).to_series().to_list()
            for entity in counts}  # fmt: skip


@pytest.mark.parametrize(
    ("cases", "expected"),
    [
        ([30, 28, 33, 30, 0], [4]),
        ([20, 22, 21, 19, 0], []),
        ([20, 22, 21, 19, 0, 0], [5]),
        ([60, 30, 12, 4, 0, 0], []),
        ([40, 42, 41, 39, *[0] * 9], [*range(4, 11)]),
        ([40, 42, 41, 39, 0, 38, 0, 0], [4, 7]),
        ([3, 2, 4, 3, 0, 0, 0, 0], []),
        ([0, 0, 0, 0, 0, 0], []),
    ],
    ids=["tens", "twenty", "twenty twice", "fading", "for long", "again", "few", "none"],
)
def test_a_zero_that_was_hardly_possible_is_doubted(cases: list[int], expected: list[int]) -> None:
    assert doubted({"160101": cases})["160101"] == expected


def test_a_week_reported_in_part_shows_less() -> None:
    assert doubted({"160101": [40, 40, 40, 40, 0]}, share=1.0)["160101"] == [4]
    assert doubted({"160101": [40, 40, 40, 40, 0]}, share=0.4)["160101"] == []


def test_a_department_falls_silent_with_its_small_places() -> None:
    small = [2, 0, 1, 3, 0]
    places = {f"2501{n:02}": [9, 9, 9, 9, 0] for n in range(1, 5)} | {"250201": small}
    silent = doubted(places | {"160101": small})
    assert silent.pop("160101") == []
    assert all(weeks == [4] for weeks in silent.values())


def counts(lacks: int) -> pl.DataFrame:
    """Three years of two districts; the large one has nothing in the last weeks."""
    cases = np.random.default_rng(1).poisson([[40.0], [6.0]], (2, 156))
    cases[0, len(cases[0]) - lacks :] = 0
    return pl.DataFrame(
        [
            (entity, FIRST + timedelta(weeks=n), int(count))
            for entity, mine in zip(("160101", "160102"), cases, strict=True)
            for n, count in enumerate(mine)
        ],
        schema=["entity", "week_start", "cases"], orient="row",
    )  # fmt: skip


def test_features_end_with_the_last_known_week_and_sums_go_on() -> None:
    whole, silent = (outbreak.features({outbreak.counted: counts(n)}) for n in (0, 2))
    last = silent.filter(entity="160101")["event_timestamp"].max()
    assert (whole["event_timestamp"].max() - last).days == 14
    now = silent.filter(entity="160102").sort("event_timestamp").tail(1)
    assert now["province_lag_0"].item() == pytest.approx(
        now["cases_lag_0"].item() + 40, abs=10
    ), "Iquitos counts as it was"
    before = pl.col("event_timestamp") <= last
    assert silent.filter(before).equals(whole.filter(before))


def test_a_silence_that_is_doubted_late_is_unknown_from_its_first_week() -> None:
    table = counts(2).with_columns(pl.col("cases") // 2)
    one, two = (
        outbreak.features({outbreak.counted: table.filter(pl.col("week_start") < end)})
        for end in (FIRST + timedelta(weeks=155), FIRST + timedelta(weeks=156))
    )
    assert one.filter(entity="160101")["event_timestamp"].max() == one["event_timestamp"].max()
    last = two.filter(entity="160101").sort("event_timestamp").tail(1)
    assert (two["event_timestamp"].max() - last["event_timestamp"].item()).days == 14
    assert last["cases_lag_0"].item() > 10


def test_what_was_known_then_decides_alone() -> None:
    """Later weeks change no row that was there: a training set may be checked against its day."""
    table = counts(2)
    now = outbreak.features({outbreak.counted: table})
    cut = table.filter(pl.col("week_start") < FIRST + timedelta(weeks=154))
    then = outbreak.features({outbreak.counted: cut})
    keys = ["entity", "event_timestamp"]
    assert now.join(then, on=keys, how="semi").equals(then.join(now, on=keys, how="semi"))


def test_a_forecast_is_told_as_of_the_newest_week() -> None:
    frame = outbreak.features({outbreak.counted: counts(2)}).to_pandas()
    end = frame["event_timestamp"].max().date()
    last = newest.of(frame, end, WEEK)
    assert dict(zip(last.rows["entity"], last.behind.tolist(), strict=True)) == {
        "160101": 2, "160102": 0
    }  # fmt: skip
    quantiles = np.arange(8.0)[None, :, None].repeat(2, axis=0)
    told = newest.ahead(quantiles, last.behind)[:, :, 0]
    assert told[0, :6].tolist() == [2, 3, 4, 5, 6, 7] and np.isnan(told[0, 6:]).all()
    assert told[1].tolist() == list(range(8))
    rows, behind = last.together(["160101", "160102"])
    assert behind == 2 and rows["event_timestamp"].nunique() == 1 and len(rows) == 2
    assert len(last.within(2).rows) == 1
