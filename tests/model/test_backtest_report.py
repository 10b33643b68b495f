"""The backtest's page on planted rows: right numbers, no small cell, nothing from outside."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from yupana.core.errors import TerminalError
from yupana.data.national import places as national_places
from yupana.tasks.forecast.backtest import page as report_page
from yupana.tasks.forecast.backtest import page_numbers
from yupana.tasks.forecast.backtest import report as backtest_report
from yupana.tasks.forecast.entities import outward
from yupana.tasks.forecast.pages import map_page
from yupana.tasks.forecast.quantiles import QUANTILES

ORIGINS = tuple(date(2019, 12, 7) + timedelta(weeks=4 * i) for i in range(4))
MEANS = {"160101": 400.0, "160113": 90.0, "160112": 40.0, "160201": 15.0}
TINY = "160102"
BASELINES = ["last_value", "ar"]


def planted(
    means: dict[str, float] = MEANS,
    origins: tuple[date, ...] = ORIGINS,
    department: bool = True,
    spread: tuple[float, float, float] = (1.0, 2.0, 1.3),
) -> pd.DataFrame:
    """Poisson counts; models whose median is off by a factor, except in 2020's origins: there
    `ar` knows the mean and ours is far off."""
    from scipy.stats import poisson

    rng = np.random.default_rng(3)
    counts: dict[tuple[str, date], int] = {}
    rows = []
    for origin in origins:
        for h in range(1, 9):
            week = origin + timedelta(weeks=h)
            for ubigeo, mean in means.items():
                counts.setdefault((ubigeo, week), int(rng.poisson(mean)))
            places = [("district", u, counts[u, week], m) for u, m in means.items()]
            if department:
                total = sum(counts[u, week] for u in means)
                places.append(("department", "16", total, sum(means.values())))
            for model, factor in zip(["pool", *BASELINES], spread, strict=True):
                off = factor
                if origin.year == 2020:
                    off = {"pool": 1.5, "ar": 1.0}.get(model, factor)
                for series, ubigeo, count, mean in places:
                    quantiles = poisson.ppf(QUANTILES, mean * off)
                    rows.append((model, series, ubigeo, origin, h, float(count), *quantiles))
    names = [*page_numbers.KEYS, "observed", *page_numbers.LEVELS]
    return pd.DataFrame(rows, columns=names)


def report_of(rows: pd.DataFrame) -> backtest_report.BacktestReport:
    return backtest_report.BacktestReport(
        final="pool", baselines=BASELINES, members=[], seconds=12.0, frequency="week",
        department="Loreto", trained_on="Loreto", districts=4, origins=[], source=[],
        left_out_rows=0,
        **vars(backtest_report.tables(rows, "ubigeo", lead=4, seed=0)),
    )  # fmt: skip


def page_of(rows: pd.DataFrame, folder: Path, **changes: Any) -> str:
    path = folder / "rows.parquet"
    outward(rows, "ubigeo").to_parquet(path)
    report = replace(report_of(rows), **changes)
    return report_page.write(path, report, folder / "out", key="ubigeo").read_text("utf-8")


def text(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of all planted rows."""
    folder = tmp_path_factory.mktemp("report")
    page_of(planted(), folder)
    return folder / "out" / "backtest.html"


def test_the_page_says_what_the_report_says(whole: Path) -> None:
    page = text(whole.read_text("utf-8"))
    by = {(s["model"], s["series"]): s for s in report_of(planted()).scores}
    names = {"last_value": "last_value (último valor)", "ar": "ar (autorregresivo)"}
    for series in ("district", "department"):
        ours = by["pool", series]
        for other, name in names.items():
            change = 100 * (ours["wis"] / by[other, series]["wis"] - 1)
            word = ("Menos", "−") if change < 0 else ("Más", "+")
            assert f"{word[0]} error que {name} {word[1]}{abs(change):.1f} %" in page
        assert f"{ours['wis']:.3f} {ours['wis_log']:.4f} {ours['mae']:.3f}" in page
    # Ours was planted worse than a baseline in 2020 only.
    assert "distritos, año del origen: 2020" in page
    assert "año del origen: 2019" not in page
    assert "4: 2019-12-07 – 2020-02-29" in page
    assert "Por departamento" not in page and "Iquitos, Loreto" not in page


def test_a_page_of_months_speaks_of_months_alone(tmp_path: Path) -> None:
    rows = planted().assign(channel_high=50.0, channel_rate=0.2)
    page = page_of(rows, tmp_path, frequency="month")
    assert "Meses adelante" in text(page) and "WIS por mes" in page
    assert "1–4 meses / months" in page
    assert "semana" not in page and "week" not in page


def test_calibration_is_told_as_it_is(tmp_path: Path) -> None:
    means = {f"16010{i}": 6.0 + 9 * i for i in (6, 7)}
    long = tuple(date(2015, 1, 3) + timedelta(weeks=8 * i) for i in range(24))
    good = page_of(planted(means, long, department=False), tmp_path)
    assert "Calibrado." in text(good) and "No calibrado." not in text(good)
    bad = planted(means, long, department=False, spread=(1.6, 2.0, 1.3))
    assert "No calibrado." in text(page_of(bad, tmp_path))


def test_no_small_count_is_shown_or_told(tmp_path: Path) -> None:
    rows = planted()
    small = (rows["entity"] == "160112") & (rows["origin"] == ORIGINS[0])
    week = rows["horizon"] == 2
    before = rows.loc[small & week, "observed"].iloc[0]
    rows.loc[small & week, "observed"] = 3.0
    total = (rows["series"] == "department") & (rows["origin"] == ORIGINS[0]) & week
    rows.loc[total, "observed"] += 3.0 - before
    path = tmp_path / "rows.parquet"
    outward(rows, "ubigeo").to_parquet(path)
    numbers = page_numbers.visible_counts(
        page_numbers.load(path, report_of(rows), "ubigeo"), "pool"
    )
    day = pd.Timestamp(ORIGINS[0] + timedelta(weeks=2))
    assert numbers["160112"][day] is None
    # The department's total less the others would tell it: one more is hidden.
    assert sum(numbers[u][day] is None for u in MEANS) == 2
    assert numbers["16"][day] == rows.loc[total, "observed"].iloc[0]
    others = [v for u in numbers for w, v in numbers[u].items() if w != day]
    assert None not in others
    assert "oculto / hidden" in page_of(rows, tmp_path)


def test_a_district_with_fewer_than_five_cases_is_not_named(tmp_path: Path) -> None:
    rows = planted({**MEANS, TINY: 0.02})
    tiny = rows["entity"] == TINY
    rows.loc[tiny, "observed"] = 0.0
    rows.loc[tiny & (rows["horizon"] == 1) & (rows["origin"] == ORIGINS[0]), "observed"] = 2.0
    page = page_of(rows, tmp_path)
    assert "Iquitos" in page and national_places.place(TINY) not in page
    assert not list((tmp_path / "out").glob(f"*{TINY}*"))
    # Alone it would be told by the others, so the smallest shown district joins it.
    assert "otros 2 / others" in page


def test_nothing_comes_from_outside_and_every_link_leads_somewhere(whole: Path) -> None:
    page = whole.read_text("utf-8")
    assert "<script" not in page and "<link" not in page and "@import" not in page
    assert not re.search(r"(src|href|url)\s*[=(]\s*[\"']?\s*(https?:)?//", page)
    names = re.findall(r'<a href="([^"]+)"', page)
    assert "fan-16.png" in names and "pit-pool.png" in names
    for name in names:
        assert (whole.parent / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("department", [True, False])
def test_one_origin_and_one_district_are_enough(tmp_path: Path, department: bool) -> None:
    page = page_of(planted({"160101": 50.0}, ORIGINS[:1], department), tmp_path)
    assert "1: 2019-12-07 – 2019-12-07" in text(page)
    assert ("fan-16.png" in page) is department
    assert "fan-160101.png" in page


def test_a_final_model_without_the_department_is_shown_by_districts_alone(tmp_path: Path) -> None:
    rows = planted()
    rows = rows[(rows["model"] != "pool") | (rows["series"] == "district")]
    page = page_of(rows, tmp_path)
    assert "fan-160101.png" in page and "fan-16.png" not in page
    assert "pool no pronostica: departamento" in text(page)


def test_the_same_rows_give_the_same_page(tmp_path: Path) -> None:
    rows = planted({"160101": 50.0}, ORIGINS[:1], department=False)
    assert page_of(rows, tmp_path) == page_of(rows, tmp_path)


def test_rows_and_report_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    rows = planted(origins=ORIGINS[:1])
    with pytest.raises(TerminalError, match="without rows: network"):
        page_of(rows, tmp_path, final="network")
    with pytest.raises(TerminalError, match="no backtest rows"):
        report_page.write(tmp_path / "absent.parquet", report_of(rows), tmp_path, key="ubigeo")
    report, path = report_of(rows), tmp_path / "less.parquet"
    rows.drop(columns="q0.5").to_parquet(path)
    with pytest.raises(TerminalError, match=r"lack columns: q0\.5"):
        report_page.write(path, report, tmp_path, key="ubigeo")
    assert not (tmp_path / "backtest.html").exists()


LEVELS = {"160101": 3, "160112": 0, "160201": 2, "160113": 1}


def test_the_map_names_every_district_with_its_level() -> None:
    picture, values = map_page.parts(LEVELS)
    told = {name: level for of in values["provinces"].values() for name, level in of.items()}
    assert set(told.values()) == set(LEVELS.values()) and len(told) == len(LEVELS)
    assert all(any(n in national_places.place(u) for n in told) for u in LEVELS)
    assert values["counts"] == [1, 1, 1, 1] and picture.png.startswith(b"\x89PNG")


def test_the_map_draws_boundaries_and_tells_which_are_missing(tmp_path: Path) -> None:
    def square(ubigeo: str, x: int) -> dict[str, Any]:
        ring = [[x, 0], [x + 1, 0], [x + 1, 1], [x, 1], [x, 0]]
        shape = {"type": "Polygon", "coordinates": [ring]}
        return {"type": "Feature", "properties": {"IDDIST": ubigeo}, "geometry": shape}

    features = [square("160101", 0), square("160112", 1), square("010101", 9)]
    features.append({**square("160201", 3), "geometry": None})
    path = tmp_path / "districts.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    _, values = map_page.parts(LEVELS, path)
    assert values["picture"] is not None
    assert values["undrawn"] == sorted(national_places.place(u) for u in ("160201", "160113"))
    path.write_text(json.dumps({"features": features[2:3]}))
    with pytest.raises(TerminalError, match="none of the districts"):
        map_page.parts(LEVELS, path)
    path.write_text("{")
    with pytest.raises(TerminalError, match="cannot be read"):
        map_page.parts(LEVELS, path)


@pytest.mark.parametrize(
    ("levels", "said"),
    [({}, "no alert levels"), ({"160101": 4}, "no alert level 4"), ({"169999": 1}, "169999")],
)
def test_levels_that_do_not_exist_are_refused(levels: dict[str, int], said: str) -> None:
    assert "169999" not in national_places.ubigeos().values()
    with pytest.raises(TerminalError, match=said):
        map_page.parts(levels)
