"""Population and climate enter where they are published, without gaps and without the future."""

from __future__ import annotations

from datetime import date, timedelta

import late_lake
import numpy as np
import polars as pl
import pytest

from feature_repo.outbreak import context
from feature_repo.outbreak.weekly import REPORTED, weekly_features
from models.outbreak import USE_CASE as OUTBREAK
from yupana.core.errors import TerminalError
from yupana.tasks.forecast.dataset import vintage

WEEKS = 120
CASES = OUTBREAK.series(late_lake.vintage(late_lake.true_counts(WEEKS), WEEKS - 1))
POPULATION = pl.DataFrame(
    [
        ("Loreto", "region", 687_282, 891_732, 981_897, 1_044_884),
        ("Loreto", "province", 49_362, 62_165, 68_681, 73_271),
        ("Alto Amazonas", "province", 82_946, 104_667, 137_115, 155_236),
        ("Maynas", "province", 385_415, 483_458, 527_866, 559_603),
        ("Putumayo (? Maynas)", "province", 6_463, 9_534, 9_093, 9_078),
        ("Requena", "province", 53_676, 65_692, 63_714, 64_100),
    ],
    schema=["place", "level", *context.FIGURES],
    orient="row",
)


def climate(area: str = "16", weeks: int = WEEKS + 12) -> pl.DataFrame:
    """Twelve weeks before the first case and on; the temperature is the number of the week."""
    start = late_lake.FIRST - timedelta(weeks=12)
    return pl.DataFrame(
        {
            "ubigeo": [area] * weeks,
            "week_start": [start + timedelta(weeks=w) for w in range(weeks)],
            "temperature": np.arange(weeks) - 12.0,
            "precipitation": np.random.default_rng(2).gamma(2, 20, weeks),
        }
    )


def rows(**more: pl.DataFrame) -> pl.DataFrame:
    return weekly_features({REPORTED: CASES, **more}).sort("entity", "event_timestamp")


def at(table: pl.DataFrame, entity: str, week: int) -> dict[str, float]:
    day = late_lake.FIRST + timedelta(weeks=week, days=6)
    here = pl.col("event_timestamp").dt.date() == day
    return table.filter((pl.col("entity") == entity) & here).row(0, named=True)


def test_what_is_not_published_is_nought_and_changes_nothing_else() -> None:
    plain, full = rows(), rows(province_population=POPULATION, climate_weekly=climate())
    assert (plain.select(context.COLUMNS).to_numpy() == 0).all()
    assert (plain["completeness"] == 1).all()
    assert plain.drop(context.COLUMNS).equals(full.drop(context.COLUMNS))


def test_population_is_the_newest_figure_that_was_a_year_old() -> None:
    table = rows(province_population=POPULATION)
    week = (date(2018, 10, 21) - late_lake.FIRST).days // 7
    assert at(table, "160101", week)["province_population"] == 483_458
    assert at(table, "160101", week + 1)["province_population"] == 527_866
    assert at(table, "160301", week)["province_population"] == 62_165, "the province, not Loreto"


def test_population_in_thousands_only_shifts_its_logarithm() -> None:
    persons = rows(province_population=POPULATION)["province_population"].log()
    scaled = POPULATION.with_columns(pl.col(list(context.FIGURES)) * 1000)
    assert np.allclose(rows(province_population=scaled)["province_population"].log() - persons,
                       np.log(1000))  # fmt: skip


def test_a_province_without_population_is_named() -> None:
    with pytest.raises(TerminalError, match="no province_population") as error:
        rows(province_population=POPULATION.filter(pl.col("place") != "Requena"))
    assert "160501, week of 2017-12-24" in str(error.value)


def test_weather_is_the_mean_of_weeks_4_to_11_before() -> None:
    assert at(rows(climate_weekly=climate()), "160301", 80)["temperature"] == 80 - 7.5
    by_province = pl.concat([climate(a) for a in ("1601", "1602", "1603", "1605")])
    assert rows(climate_weekly=by_province).equals(rows(climate_weekly=climate()))


def test_weather_knows_only_the_past() -> None:
    tables = {REPORTED: CASES, context.CLIMATE: climate()}
    vintage.check(weekly_features(tables).to_pandas(), weekly_features, tables, seed=1)
    cut = climate(weeks=WEEKS + 12 - context.LAG)
    assert rows(climate_weekly=cut).equals(rows(climate_weekly=climate()))


@pytest.mark.parametrize("gap", [float("nan"), None, "absent"])
def test_weather_that_is_missing_is_named(gap: float | str | None) -> None:
    day = date(2018, 6, 3)
    here = pl.col("week_start") == day
    table = climate()
    if gap == "absent":
        table = table.filter(~here)
    else:
        broken = pl.when(here).then(pl.lit(gap, dtype=pl.Float64)).otherwise(pl.col("temperature"))
        table = table.with_columns(temperature=broken)
    with pytest.raises(TerminalError, match="no temperature") as error:
        rows(climate_weekly=table)
    where = "column temperature, first: 16, week of 2018-06-03"
    assert f"published/climate_weekly, {where}" in str(error.value)


def test_areas_of_two_kinds_are_refused() -> None:
    with pytest.raises(TerminalError, match="mixes districts"):
        rows(climate_weekly=pl.concat([climate("16"), climate("1601")]))
