"""Alerts come from the newest forecast of a day, as JSON, as a map layer and as a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from small_panel import panel

from models.last_value import LastValue
from models.outbreak import HORIZONS
from serving.study import alerts_files, places
from serving.study.alerts import alerts
from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.data import delta
from yupana.evaluation import outlook_rows

PANEL = panel()
RISING, CALM, NEW = "160101", "160102", "160301"
LAST = PANEL["event_timestamp"].max()


def publish(settings: Settings, back: int = 0, version: int = 1) -> date:
    """What `yupana predict` writes, some weeks before the newest; returns the origin."""
    moment = LAST - pd.Timedelta(weeks=back)
    rows = PANEL[PANEL["event_timestamp"] == moment].reset_index(drop=True).copy()
    lags = [c for c in rows if str(c).startswith("cases_lag_")]
    rows.loc[rows["ubigeo"] == RISING, lags] *= 50
    rows.loc[rows["ubigeo"] == CALM, lags] = 0.0
    counts = PANEL.pivot(index="event_timestamp", columns="ubigeo", values="cases_lag_0")
    counts.index = counts.index.tz_localize(None)
    learned = PANEL[PANEL["ubigeo"] != NEW]
    origin, model = moment.date(), f"model:outbreak@{version}"
    made = outlook_rows.districts(LastValue(learned, HORIZONS), rows, counts, model, origin)
    same = f"origin = DATE '{origin}' AND model = '{model}'"
    table = pa.Table.from_pandas(made, preserve_index=False)
    delta.replace(settings.lake, "forecasts", "outbreak", table, same, (model,))
    return origin


def test_districts_stand_by_level_with_the_week_that_it_is_of(lake: Settings) -> None:
    origin = publish(lake)
    told = alerts(lake, "outbreak", origin + timedelta(days=3), "16")
    assert told["department"] == {"code": "16", "name": "Loreto"}
    assert told["data_as_of"] == str(origin) and told["lead"] == 4 and told["caveats"] == []
    first = told["districts"][0]
    assert (first["ubigeo"], first["district"], first["province"]) == (RISING, "Iquitos", "Maynas")
    assert first["alert"] == "epidemia" and first["week_ending"] == str(origin + timedelta(weeks=4))
    assert [w["horizon"] for w in first["weeks"]] == list(range(1, 9))
    assert first["weeks"][3]["median"] == first["median"]
    assert first["interval_80"][0] <= first["median"] <= first["interval_80"][1]
    assert {d["ubigeo"] for d in told["districts"] if d["pooled"]} == {NEW}
    assert sum(told["counts"].values()) == len(told["districts"]) == 4
    assert told["counts"]["epidemia"] == sum(d["alert"] == "epidemia" for d in told["districts"])
    table = delta.read(lake.table("forecasts", "outbreak")).to_pandas()
    row = table[(table["ubigeo"] == RISING) & (table["horizon"] == 4)].iloc[0]
    assert first["prediction_id"] == row["prediction_id"] and first["model"] == "outbreak@1"
    assert first["median"] == row["q0.5"]


def test_a_day_is_told_by_the_newest_data_up_to_it_and_the_newest_model(lake: Settings) -> None:
    older, newer = publish(lake, back=3), publish(lake)
    assert alerts(lake, "outbreak", newer - timedelta(days=1))["data_as_of"] == str(older)
    assert {d["model"] for d in alerts(lake, "outbreak", newer)["districts"]} == {"outbreak@1"}
    # Published while the service runs: the next question is answered from it.
    publish(lake, version=10)
    publish(lake, version=9)
    told = alerts(lake, "outbreak", newer)
    assert {d["model"] for d in told["districts"]} == {"outbreak@10"}
    assert len(told["districts"]) == 4


def test_old_data_are_told_and_too_old_ones_refused(lake: Settings) -> None:
    origin = publish(lake)
    told = alerts(lake, "outbreak", origin + timedelta(weeks=3))
    assert [c["code"] for c in told["caveats"]] == ["stale_data"]
    alerts(lake, "outbreak", origin + timedelta(days=55))
    with pytest.raises(UsageError, match="are over"):
        alerts(lake, "outbreak", origin + timedelta(days=56))
    with pytest.raises(UsageError, match="no forecasts up to"):
        alerts(lake, "outbreak", origin - timedelta(days=1))


def test_what_is_not_there_is_refused(lake: Settings) -> None:
    with pytest.raises(TerminalError):
        alerts(lake, "outbreak", LAST.date())
    publish(lake)
    with pytest.raises(UsageError, match="no department 99"):
        alerts(lake, "outbreak", LAST.date(), "99")
    assert alerts(lake, "outbreak", LAST.date(), "15")["districts"] == []


def test_a_map_layer_has_a_feature_for_every_district(lake: Settings, tmp_path: Path) -> None:
    told = alerts(lake, "outbreak", publish(lake), "16")
    clockwise = [[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0], [0.0, 0.0]]
    square = {"type": "Polygon", "coordinates": [clockwise]}
    layer = {
        "type": "FeatureCollection",
        "features": [
            {"properties": {"IDDIST": RISING}, "geometry": square},
            {"properties": {"IDDIST": CALM}, "geometry": None},
        ],
    }
    file = tmp_path / "districts.geojson"
    file.write_text(json.dumps(layer))
    made = alerts_files.geojson(told, file)
    json.dumps(made, allow_nan=False)
    assert made["type"] == "FeatureCollection" and "crs" not in made
    by = {f["id"]: f for f in made["features"]}
    assert len(by) == 4
    # RFC 7946, 3.1.6: the outer ring runs counterclockwise.
    assert by[RISING]["geometry"]["coordinates"] == [clockwise[::-1]]
    assert by[CALM]["geometry"] is None
    assert by[RISING]["properties"]["alert"] == "epidemia"
    assert {f["geometry"] for f in alerts_files.geojson(told, None)["features"]} == {None}
    file.with_name("no.geojson").write_text("[]")
    with pytest.raises(TerminalError, match="boundaries"):
        alerts_files.geojson(told, file.with_name("no.geojson"))


def test_a_spreadsheet_has_a_line_a_district_and_runs_no_formula(lake: Settings) -> None:
    told = alerts(lake, "outbreak", publish(lake), "16")
    text = alerts_files.spreadsheet(told)
    assert text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text[1:])))
    assert [r["ubigeo"] for r in rows] == [d["ubigeo"] for d in told["districts"]]
    assert rows[0]["alert"] == "epidemia" and rows[0]["low_80"] and rows[0]["median_8"]
    evil = {**told["districts"][0], "district": "=1+1", "province": "@x"}
    risky = alerts_files.spreadsheet({**told, "districts": [evil]})
    row = next(iter(csv.DictReader(io.StringIO(risky[1:]))))
    assert row["district"] == "'=1+1" and row["province"] == "'@x"
    assert len(alerts_files.spreadsheet({**told, "districts": []}).splitlines()) == 1


def test_names_are_readable_and_empty_for_no_code() -> None:
    assert places.names("160101") == ("Loreto", "Maynas", "Iquitos")
    assert places.names("999999") == ("", "", "")
    assert places.department("16") == "Loreto" and places.department("26") == ""
