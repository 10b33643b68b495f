"""Population and climate beside the cases, from tables that an installation may have or not.

A column whose table is not published is 0 in every row; a model leaves out what never varies.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from yupana.core.errors import TerminalError
from yupana.data.national import places
from yupana.tasks.forecast.entities import ENTITY

POPULATION = "province_population"
CLIMATE = "climate_weekly"
MEASURES = ("temperature", "precipitation")
COLUMNS = ("province_population", *MEASURES)

FIGURES = {
    "population_1993": date(1993, 7, 11),
    "population_2007": date(2007, 10, 21),
    "population_2017": date(2017, 10, 22),
    "population_2022": date(2022, 6, 30),
}
"""Day of each census or projection."""

PUBLISHED_AFTER = timedelta(days=365)
"""A census is counted, checked and printed before anyone can use it."""

LAG, SPAN = 4, 8
"""Weather of one to three months ago: mosquitoes, the virus in them, and people who fall ill and
are reported. The lag also leaves a month for the measurements to arrive."""

Tables = dict[str, pl.DataFrame]


def add(rows: pl.DataFrame, tables: Tables) -> pl.DataFrame:
    """Rows with `COLUMNS`.

    Args:
        rows: `ENTITY` (six digits), `week_start`, `event_timestamp`.
        tables: may hold `province_population` (the published schema) and `climate_weekly`:
            `ubigeo` (a department's two digits, a province's four or a district's six, the same
            in all rows), `week_start` (Sunday), `temperature` (mean, °C), `precipitation` (mm).

    Returns:
        In addition `province_population` (persons, by the newest figure that was a year old),
        `temperature` and `precipitation` (means of weeks 4 to 11 before).

    Raises:
        TerminalError: a district's province has no figure, or a week has no weather; names
            column, place and week.
    """
    population, climate = tables.get(POPULATION), tables.get(CLIMATE)
    rows = _neutral(rows, COLUMNS[0]) if population is None else _population(rows, population)
    return _neutral(rows, *MEASURES) if climate is None else _climate(rows, climate)


def changed(tables: Tables, degrees: float, rain: float) -> Tables:
    """The climate of every week, had it been another; the same tables where there is none.

    Args:
        degrees: °C added.
        rain: factor of the precipitation.
    """
    if CLIMATE not in tables:
        return tables
    moved = tables[CLIMATE].with_columns(
        pl.col("temperature") + degrees, pl.col("precipitation") * rain
    )
    return tables | {CLIMATE: moved}


def _neutral(rows: pl.DataFrame, *names: str) -> pl.DataFrame:
    return rows.with_columns(pl.lit(0.0).alias(name) for name in names)


def _population(rows: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    of = {province: code[:4] for (_, province, _), code in places.ubigeos().items()}
    # "Putumayo (? Maynas)": the publisher's own doubt stands in the name.
    names = [places.plain_name(place.split(" (")[0]) for place in table["place"]]
    figures = (
        table.with_columns(pl.Series("province_code", [of.get(name) for name in names]))
        .filter((pl.col("level") != "region") & pl.col("province_code").is_not_null())
        .unpivot(list(FIGURES), index="province_code", value_name=COLUMNS[0])
        .with_columns(
            pl.col("variable").replace_strict(
                {name: day + PUBLISHED_AFTER for name, day in FIGURES.items()}
            ).alias("since"),
            pl.col(COLUMNS[0]).cast(pl.Float64),
        )
        .sort("since")
    )  # fmt: skip
    keyed = rows.with_columns(pl.col(ENTITY).str.head(4).alias("province_code"))
    joined = keyed.sort("week_start").join_asof(
        figures.select("province_code", "since", COLUMNS[0]),
        left_on="week_start", right_on="since", by="province_code", check_sortedness=False,
    )  # fmt: skip
    _complete(joined, COLUMNS[0], POPULATION, ENTITY)
    return joined.drop("province_code", "since").sort(ENTITY, "week_start")


def _climate(rows: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    digits = table["ubigeo"].str.len_chars().unique().to_list()
    if len(digits) != 1:
        raise TerminalError(
            "The climate table mixes districts, provinces and departments.",
            where=f"published/{CLIMATE}, column ubigeo",
            fix="Publish codes of one length: two, four or six digits.",
        )
    area = pl.col(ENTITY).str.head(digits[0]).alias("area")
    first, last = rows["week_start"].min(), rows["week_start"].max()
    assert isinstance(first, date) and isinstance(last, date)
    first -= timedelta(weeks=LAG + SPAN - 1)
    weeks = pl.date_range(first, last - timedelta(weeks=LAG), "7d", eager=True)
    grid = rows.select(area.unique()).join(pl.DataFrame({"week_start": weeks}), how="cross")
    measured = table.rename({"ubigeo": "area"}).select(
        "area", "week_start", *(pl.col(m).cast(pl.Float64).fill_nan(None) for m in MEASURES)
    )
    weather = grid.join(measured, on=["area", "week_start"], how="left").sort("area", "week_start")
    for measure in MEASURES:
        _complete(weather, measure, CLIMATE, "area")
    past = weather.select(
        "area",
        pl.col("week_start") + pl.duration(weeks=LAG),
        *(pl.col(m).rolling_mean(SPAN).over("area") for m in MEASURES),
    )
    joined = rows.with_columns(area).join(past, on=["area", "week_start"], how="left")
    return joined.drop("area").sort(ENTITY, "week_start")


def _complete(rows: pl.DataFrame, column: str, table: str, code: str) -> None:
    absent = rows.filter(pl.col(column).is_null()).sort(code, "week_start")
    if len(absent):
        first = absent.row(0, named=True)
        raise TerminalError(
            f"The table has no {column} for {len(absent)} weeks.",
            where=f"published/{table}, column {column}, first: {first[code]}, "
            f"week of {first['week_start']}",
            fix="Publish a version that has a number for every week and place of the cases.",
        )
