"""The weekly forecast from a real model, registry and Delta tables: rows, areas, page, command."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import polars as pl
import pytest
import typer
from candidates import DATA, NAME, candidate, empty_home, tags
from deltalake import write_deltalake
from small_lake import commit
from small_panel import OPTIONS, one_network, panel
from typer.testing import CliRunner

from models.outbreak import USE_CASE as outbreak
from yupana.config import settings as configured
from yupana.config.settings import Settings
from yupana.core.errors import ContentError, TerminalError, UsageError
from yupana.data.lake import delta
from yupana.lineage import contents, events, sole_writer
from yupana.tasks.forecast import predict
from yupana.tasks.forecast.commands import predict as commands
from yupana.tasks.forecast.forecast_rows import zone_numbers
from yupana.tasks.forecast.pages import forecast_page
from yupana.tasks.forecast.quantiles import LEVELS
from yupana.tracking import facts, registry

APP = typer.Typer()
commands.register(APP)
# A second command, so that the first keeps its name.
APP.command()(lambda: None)
UNKNOWN = "160401"
"""A district that the model has not seen."""

PANEL = panel()
LAST = PANEL["event_timestamp"].max().date()
MIDDLE = LAST - timedelta(weeks=60)


def reports() -> pl.DataFrame:
    """The panel's counts as a line list, a district and week a row, and a new district."""
    rows = PANEL[["entity", "event_timestamp", "cases_lag_0"]]
    new = rows[rows["entity"] == "160201"].assign(entity=UNKNOWN)
    every = pl.from_pandas(pd.concat([rows, new]))
    return every.select(
        pl.col("entity").alias("ubigeo"),
        (pl.col("event_timestamp").dt.date() - timedelta(days=6)).alias("week_start"),
        pl.col("cases_lag_0").cast(pl.Int64).alias("cases"),
    )


def publish(settings: Settings, rows: pl.DataFrame) -> None:
    table = settings.table("published", "dengue_linelist")
    shutil.rmtree(table, ignore_errors=True)
    table.parent.mkdir(parents=True, exist_ok=True)
    facts = delta.commit_metadata(source_sha256="a" * 64, known_on=LAST + timedelta(days=3))
    commit(table, rows, facts)
    ref = "delta:published/dengue_linelist@0"
    events.append(settings, "ingest", "dengue_linelist", status="done", outputs=(ref,))


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a champion and the published counts."""
    settings = empty_home(tmp_path_factory.mktemp("predict"))
    folder = candidate(settings.home / "1", wis=1.0)
    with one_network():
        outbreak.fit(PANEL, folder, seed=5, say=lambda _: None, options=OPTIONS)
    facts.record(settings, folder, DATA, seconds=1.0, machine=facts.hardware())
    registry.register(settings, NAME, folder, tags("1"))
    events.append(settings, "register", NAME, status="done", outputs=("model:outbreak@1",))
    publish(settings, reports())
    return settings.home


@pytest.fixture
def home(fitted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    config = Settings(home=shutil.copytree(fitted, tmp_path / "home"))
    monkeypatch.setenv("YUPANA_HOME", str(config.home))
    configured.settings.cache_clear()
    yield config
    configured.settings.cache_clear()


def commit_again(settings: Settings, times: int) -> str:
    """A release of 1 June 2020 with many times the cases; its reference."""
    release = delta.commit_metadata(source_sha256="b" * 64, known_on=date(2020, 6, 1))
    rows = reports().with_columns(cases=pl.col("cases") * times)
    commit(settings.table("published", "dengue_linelist"), rows, release)
    ref = "delta:published/dengue_linelist@1"
    events.append(settings, "ingest", "dengue_linelist", status="done", outputs=(ref,))
    return ref


def recorded(settings: Settings, day: date) -> predict.Forecast:
    return predict.record(settings, predict.predict(settings, NAME, day, past=False))


def stored(settings: Settings, name: str) -> pd.DataFrame:
    rows = delta.read(settings.table("forecasts", name)).to_pandas()
    rows["origin"] = rows["origin"].dt.date
    key = ["origin", "ubigeo" if "ubigeo" in rows else "area", "horizon"]
    return rows.sort_values(key, ignore_index=True)


def test_every_district_and_week_has_alert_channel_and_probability(home: Settings) -> None:
    recorded(home, LAST)
    rows = stored(home, NAME)
    assert len(rows) == 5 * 8
    assert set(rows["alert"]) <= {"exito", "seguridad", "alerta", "epidemia"}
    assert rows["exceedance"].between(0, 1).all()
    assert (rows["channel_low"] <= rows["channel_middle"]).all()
    assert (rows["channel_middle"] <= rows["channel_high"]).all()
    assert set(rows.loc[rows["pooled"], "ubigeo"]) == {UNKNOWN}
    above = rows["q0.5"] > rows["channel_high"]
    assert (above == (rows["alert"] == "epidemia")).all()
    assert rows.loc[above, "exceedance"].min() > rows.loc[~above, "exceedance"].mean()


def test_nothing_after_the_day_changes_a_forecast(home: Settings) -> None:
    before = recorded(home, MIDDLE)
    assert before.data_as_of == MIDDLE and before.hindsight
    later = pl.col("week_start") > MIDDLE
    publish(
        home, reports().with_columns(pl.when(later).then(9999).otherwise("cases").alias("cases"))
    )
    again = recorded(home, MIDDLE)
    pd.testing.assert_frame_equal(again.districts, before.districts)
    pd.testing.assert_frame_equal(again.areas, before.areas)
    pd.testing.assert_frame_equal(again.counts, before.counts)


def test_the_sum_of_an_area_is_no_sum_of_quantiles(home: Settings) -> None:
    forecast = recorded(home, LAST)
    areas = stored(home, f"{NAME}_areas")
    assert set(zip(areas["level"], areas["area"], strict=True)) == {
        ("department", "16"),
        *(("province", p) for p in ("1601", "1602", "1603", "1604")),
    }
    levels = list(LEVELS)
    whole = areas[areas["area"] == "16"].set_index("horizon")[levels]
    summed = forecast.districts.groupby("horizon")[levels].sum()
    spread = (whole["q0.95"] - whole["q0.05"]) / (summed["q0.95"] - summed["q0.05"])
    # Districts that do not err alike narrow the sum: added quantiles would give exactly 1.
    assert (spread < 0.97).all()
    assert ((whole["q0.5"] / summed["q0.5"]).between(0.6, 1.6)).all()
    assert (whole.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    # The sum of one district is that district.
    alone = areas[areas["area"] == "1603"][levels].to_numpy()
    assert (alone == forecast.districts.query("entity == '160301'")[levels].to_numpy()).all()


def test_a_rerun_replaces_its_own_rows_alone(home: Settings) -> None:
    recorded(home, MIDDLE)
    recorded(home, LAST)
    names = (NAME, f"{NAME}_areas")
    first = {name: stored(home, name) for name in names}
    recorded(home, MIDDLE)
    for name in names:
        pd.testing.assert_frame_equal(stored(home, name), first[name])
        assert set(first[name]["origin"]) == {MIDDLE, LAST}


def test_the_table_of_an_earlier_release_gets_the_new_columns(home: Settings) -> None:
    recorded(home, MIDDLE)
    old = delta.read(home.table("forecasts", NAME)).drop("alert", "exceedance", "channel_high")
    shutil.rmtree(home.table("forecasts", NAME))
    write_deltalake(str(home.table("forecasts", NAME)), old.to_arrow())
    recorded(home, LAST)
    rows = stored(home, NAME)
    assert rows.loc[rows["origin"] == MIDDLE, "alert"].isna().all()
    assert rows.loc[rows["origin"] == LAST, "alert"].notna().all()


def test_a_short_history_has_a_forecast_without_alert(home: Settings, tmp_path: Path) -> None:
    early = LAST - timedelta(weeks=140)
    forecast = recorded(home, early)
    rows = stored(home, NAME)
    assert len(rows) == 40 and rows["q0.5"].notna().all()
    assert rows[["alert", "exceedance", "channel_low"]].isna().all(axis=None)
    drawing = forecast_page.draw(forecast)
    page = forecast_page.write(forecast, drawing, tmp_path / "page.html").read_text("utf-8")
    assert "Ningún distrito tiene tres años de historia" in page and "historia corta" in page


def run(*arguments: str) -> str:
    result = CliRunner().invoke(APP, ["predict", NAME, *arguments])
    if result.exception:
        raise result.exception
    return result.output


def test_the_command_tells_rows_alerts_and_page(home: Settings) -> None:
    output = run()
    assert "districts 40, areas 40" in output
    levels = zone_numbers(stored(home, NAME), key="ubigeo")
    assert f"epidemia {list(levels.values()).count(3)}" in output
    page = home.reports / f"forecast-{NAME}.html"
    text = page.read_text("utf-8")
    assert str(page) in output
    assert "fan-16.png" in text and "todas las semanas pronosticadas ya pasaron" in text
    for link in re.findall(r'<a href="([^"]+)"', text):
        assert (page.parent / link).exists(), link
    assert "already done" in run()
    page.write_text("another day's")
    assert "done in" in run()
    assert page.read_text("utf-8") == text.replace("outbreak@0", "outbreak@1").replace(
        "outbreak_areas@0", "outbreak_areas@1"
    )


def test_boundaries_are_refused_before_anything_is_committed(
    home: Settings, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.geojson"
    empty.write_text('{"type": "FeatureCollection", "features": []}')
    with pytest.raises(TerminalError, match="none of the districts"):
        run("--boundaries", str(empty))
    assert not delta.exists(home.table("forecasts", NAME))


def test_what_a_broken_run_committed_is_taken_back_though_all_is_done(home: Settings) -> None:
    run()
    before = stored(home, NAME)
    # Another day's run, killed between its commit and its event.
    recorded(home, MIDDLE)
    names = (f"forecasts/{NAME}@1", f"forecasts/{NAME}_areas@1")
    broken = {fault.place: fault.what for fault in contents.faults(home)}
    assert [broken[f"delta:{name}"] for name in names] == ["unvouched"] * 2
    with pytest.raises(ContentError, match="by no step") as caught:
        contents.demand(home, f"delta:{names[0]}", newest=True)
    assert "Run the step again" in caught.value.fix
    assert "already done" in run()
    pd.testing.assert_frame_equal(stored(home, NAME), before)
    assert not list(contents.faults(home))
    event = events.last_done(home.events, sole_writer.STEP, f"forecasts/{NAME}")
    assert event and event["inputs"] == [f"delta:forecasts/{NAME}@0"]
    assert event["outputs"] == [f"delta:forecasts/{NAME}@2"]


def test_the_pictures_of_the_page_are_vouched_for(home: Settings) -> None:
    run()
    picture = home.reports / f"forecast-{NAME}" / "fan-16.png"
    picture.write_bytes(picture.read_bytes()[:-1] + b"x")
    assert [f.place for f in contents.faults(home)] == [f"file:reports/forecast-{NAME}"]
    assert "done in" in run()
    assert not list(contents.faults(home))


def test_a_past_day_has_a_page_of_its_own(home: Settings) -> None:
    run("--as-of", "2020-06-06")
    assert (home.reports / f"forecast-{NAME}-2020-06-06.html").exists()
    assert not (home.reports / f"forecast-{NAME}.html").exists()


def test_a_past_day_stays_as_it_was_forecast(home: Settings, tmp_path: Path) -> None:
    """After a better model, its promotion, and a release that tells more of that day."""
    day = "2020-06-06"
    run("--as-of", day)
    before, bases = stored(home, NAME), predict.basis(home, NAME, date.fromisoformat(day), ())
    assert bases and bases.model == "model:outbreak@1"
    better = candidate(tmp_path / "2", wis=0.5)
    with one_network():
        outbreak.fit(PANEL, better, seed=6, say=lambda _: None, options=OPTIONS)
    registry.register(home, NAME, better, tags("2"))
    registered = {"outputs": ("model:outbreak@2",), "facts": {"alias": "champion"}}
    events.append(home, "register", NAME, status="done", **registered)
    ref = commit_again(home, 3)
    run("--as-of", day)
    assert "already done" in run("--as-of", day)
    (home.reports / f"forecast-{NAME}-{day}.html").unlink()
    run("--as-of", day)
    pd.testing.assert_frame_equal(stored(home, NAME), before)
    assert predict.basis(home, NAME, date.fromisoformat(day), ()) == bases
    # Of another day nothing was decided.
    run("--as-of", "2020-06-13")
    assert ref in (predict.basis(home, NAME, date(2020, 6, 13), ()) or bases).sources


def test_a_day_that_is_asked_for_again_leaves_the_newer_forecast(home: Settings) -> None:
    """Of the same origin and model: a correction came, and what stands there is told to people."""
    run()
    today = date.today()
    monday = stored(home, NAME)
    commit_again(home, 3)
    run()
    standing = stored(home, NAME)
    assert not standing.equals(monday)
    run("--as-of", str(today))
    pd.testing.assert_frame_equal(stored(home, NAME), standing)
    basis = predict.basis(home, NAME, today, ())
    assert basis and basis.sources == ("delta:published/dengue_linelist@1",)
    run("--as-of", "2020-06-06")
    pd.testing.assert_frame_equal(stored(home, NAME), standing)


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("2999-01-01", "is in the future"),
        ("2011-01-01", "too early for a forecast: No period had ended"),
        ("2013-06-01", r"too early for a forecast: The counts span \d+ weeks"),
        ("2016-06-04", "No model of 'outbreak' was trained on what precedes"),
    ],
)
def test_a_day_that_cannot_be_answered_is_refused(home: Settings, day: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        run("--as-of", day)
    assert caught.value.fix
    assert not delta.exists(home.table("forecasts", NAME))


def test_without_champion_or_data_it_says_what_to_run(lake: Settings, home: Settings) -> None:
    registry.client(home).delete_registered_model_alias(NAME, "champion")
    with pytest.raises(TerminalError, match="no champion") as caught:
        run()
    assert "yupana train outbreak" in caught.value.fix
    publish(lake, reports().head(0))
    with pytest.raises(TerminalError, match="No period had ended"):
        predict.predict(lake, NAME, LAST, past=False)
