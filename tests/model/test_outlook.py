"""The page for health offices: its order, its words, and no small count in it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from small_panel import HORIZONS, panel

from yupana.core.errors import TerminalError
from yupana.data.national.places import place
from yupana.tasks.forecast import forecast_rows
from yupana.tasks.forecast.dataset import newest
from yupana.tasks.forecast.frequency import WEEK
from yupana.tasks.forecast.model.last_value import LastValue
from yupana.tasks.forecast.pages import forecast_page
from yupana.tasks.forecast.predict import Forecast

PANEL = panel()
ORIGIN = PANEL["event_timestamp"].max()
RISING, CALM, NEW = "160101", "160102", "160301"


def made(day: date | None = None, folder: Path = Path("absent")) -> Forecast:
    """Forecasts by the last value: one district five times above its past, one without any."""
    rows = PANEL[PANEL["event_timestamp"] == ORIGIN].reset_index(drop=True).copy()
    lags = [c for c in rows if str(c).startswith("cases_lag_")]
    rows.loc[rows["entity"] == RISING, lags] *= 50
    rows.loc[rows["entity"] == CALM, lags] = 0.0
    learned = PANEL[PANEL["entity"] != NEW]
    counts = PANEL.pivot(index="event_timestamp", columns="entity", values="cases_lag_0")
    counts.index = counts.index.tz_localize(None)
    # More weeks behind them, so that all have three years.
    earlier = counts.set_axis(counts.index - pd.Timedelta(weeks=len(counts)))
    counts = pd.concat([earlier, counts])
    origin = ORIGIN.date()
    model = "model:outbreak@7"
    simple = LastValue(learned, HORIZONS)
    districts = forecast_rows.districts(
        simple, newest.of(rows, origin, WEEK), counts, model, origin
    )
    return Forecast(
        "outbreak", districts, districts.head(0), counts, ("delta:forecasts/outbreak@0",), model,
        folder, ("delta:published/dengue_linelist@3",), day or origin, origin, False, WEEK,
    )  # fmt: skip


def one(day: date | None = None) -> Forecast:
    """A page of one district: fewer pictures to draw."""
    forecast = made(day)
    alone = forecast.districts["entity"] == RISING
    return replace(forecast, districts=forecast.districts[alone])


def write(forecast: Forecast, out: Path) -> Path:
    return forecast_page.write(forecast, forecast_page.draw(forecast), out)


def text(page: str) -> str:
    return re.sub(
        r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"<svg.*?</svg>", "", page, flags=re.S))
    )


def test_the_table_begins_with_the_highest_alert_and_says_every_level(tmp_path: Path) -> None:
    forecast = made()
    levels = forecast_rows.zone_numbers(forecast.districts)
    assert levels[RISING] == 3 and levels[CALM] == 0
    page = write(forecast, tmp_path / "page.html").read_text("utf-8")
    table = text(page).split("Todos los distritos")[1]
    names = sorted(levels, key=lambda u: table.index(place(u)))
    assert names[0] == RISING
    assert [levels[u] for u in names] == sorted(levels.values(), reverse=True)
    zones = ("éxito", "seguridad", "alerta", "epidemia")
    for entity, level in levels.items():
        assert f"{place(entity)} {zones[level]}" in text(page)
    assert sum(forecast_rows.alerts(forecast.districts, WEEK.lead).values()) == 4
    assert table.count("sin historia propia") == 1
    for identity in forecast.districts["prediction_id"].unique():
        assert identity in page


def test_no_count_from_one_to_four_is_drawn_or_told(tmp_path: Path) -> None:
    forecast = made()
    counts = forecast.counts
    values = forecast_page._visible_counts(counts)
    small = (counts > 0) & (counts < 5)
    assert small.to_numpy().any()
    for entity in counts:
        assert all(values[entity][week] is None for week in counts.index[small[entity]])
    for week, row in counts.iterrows():
        hidden = [u for u in counts if values[u][week] is None]
        # What is hidden cannot be had by taking the shown from the department's total.
        if hidden and values["16"][week] is not None and len(hidden) < 4:
            assert len(hidden) > 1 and row[hidden].sum() >= 5
    page = write(forecast, tmp_path / "page.html").read_text("utf-8")
    table = text(page).split("Todos los distritos")[1]
    limit = forecast.districts.query("horizon == 4 and channel_high > 0 and channel_high < 5")
    assert len(limit) and table.count("&lt; 5") == len(limit)


def test_what_must_be_known_of_the_data_stands_first(tmp_path: Path) -> None:
    fresh = text(write(one(), tmp_path / "a.html").read_text("utf-8"))
    assert "ya pasaron" not in fresh and "retrospectiva" not in fresh
    late = one((ORIGIN + pd.Timedelta(weeks=3)).date())
    words = text(write(late, tmp_path / "b.html").read_text("utf-8"))
    assert "hace 3 semanas: las primeras semanas" in words
    part = replace(late, completeness=0.6)
    words = text(write(part, tmp_path / "d.html").read_text("utf-8"))
    assert "se conoce cerca del 60 % de los casos" in words
    old = one((ORIGIN + pd.Timedelta(weeks=30)).date())
    assert "No use esta página" in text(write(old,
    tmp_path / "c.html").read_text("utf-8"))


def test_entities_that_are_no_districts_have_a_page_without_a_map(tmp_path: Path) -> None:
    district = one()
    names = {RISING: "puesto-01"}
    posts = replace(
        district, districts=district.districts.assign(entity="puesto-01"),
        counts=district.counts[[RISING]].rename(columns=names),
    )  # fmt: skip
    assert forecast_page.draw(posts).map is None
    page = write(posts, tmp_path / "page.html").read_text("utf-8")
    assert "puesto-01" in text(page) and "map.png" not in page and "tres años" not in page
    with pytest.raises(TerminalError, match="no map on which"):
        forecast_page.draw(posts, tmp_path / "districts.geojson")


@pytest.mark.parametrize("card", [True, False])
def test_every_link_leads_somewhere_and_old_pictures_go(tmp_path: Path, card: bool) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    if card:
        (folder / "README.md").write_text("card")
    out = tmp_path / "reports" / "page.html"
    old = out.with_suffix("") / "fan-250101.png"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"")
    page = write(made(folder=folder), out).read_text("utf-8")
    links = re.findall(r'<a href="([^"]+)"', page)
    assert "page/map.png" in links and ("ficha del modelo" in page) is card
    for link in links:
        assert (out.parent / link).exists(), link
    assert not old.exists() and "http" not in re.sub(r"<svg.*?</svg>", "", page, flags=re.S)
