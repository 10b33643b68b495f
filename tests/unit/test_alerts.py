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
from deltalake import DeltaTable
from small_panel import HORIZONS, panel

from models.outbreak import USE_CASE as OUTBREAK
from models.outbreak import places
from yupana.config.settings import Settings
from yupana.core.errors import ContentError, TerminalError, UsageError
from yupana.data.lake import delta
from yupana.lineage import events, sole_writer
from yupana.tasks.forecast import forecast_rows
from yupana.tasks.forecast.dataset import newest
from yupana.tasks.forecast.entities import outward
from yupana.tasks.forecast.frequency import WEEK
from yupana.tasks.forecast.model.last_value import LastValue
from yupana.tasks.forecast.serving import answer_files
from yupana.tasks.forecast.serving.analysis import alerts as alerts_module
from yupana.tasks.forecast.serving.analysis.alerts import alerts

PANEL = panel()
RISING, CALM, NEW = "160101", "160102", "160301"
LAST = PANEL["event_timestamp"].max()


def publish(settings: Settings, back: int = 0, version: int = 1) -> date:
    """What `yupana predict` writes, some weeks before the newest; returns the origin."""
    moment = LAST - pd.Timedelta(weeks=back)
    rows = PANEL[PANEL["event_timestamp"] == moment].reset_index(drop=True).copy()
    lags = [c for c in rows if str(c).startswith("cases_lag_")]
    rows.loc[rows["entity"] == RISING, lags] *= 50
    rows.loc[rows["entity"] == CALM, lags] = 0.0
    counts = PANEL.pivot(index="event_timestamp", columns="entity", values="cases_lag_0")
    counts.index = counts.index.tz_localize(None)
    learned = PANEL[PANEL["entity"] != NEW]
    origin, model = moment.date(), f"model:outbreak@{version}"
    frame = forecast_rows.districts(
        LastValue(learned, HORIZONS), newest.of(rows, origin, WEEK), counts, model, origin
    )
    same = f"origin = DATE '{origin}' AND model = '{model}'"
    table = pa.Table.from_pandas(outward(frame, "ubigeo"), preserve_index=False)
    ref = delta.replace(settings.lake, "forecasts", "outbreak", table, same, (model,)).ref
    events.append(settings, "forecast", "outbreak", status="done", outputs=(ref,))
    return origin


def test_districts_stand_by_level_with_the_week_that_it_is_of(lake: Settings) -> None:
    origin = publish(lake)
    answer = alerts(lake, OUTBREAK, origin + timedelta(days=3), "16")
    assert answer["department"] == {"code": "16", "name": "Loreto"}
    assert answer["data_as_of"] == str(origin) and answer["lead"] == 4 and answer["caveats"] == []
    first = answer["districts"][0]
    assert (first["ubigeo"], first["district"], first["province"]) == (RISING, "Iquitos", "Maynas")
    assert first["alert"] == "epidemia" and first["week_ending"] == str(origin + timedelta(weeks=4))
    assert [w["horizon"] for w in first["weeks"]] == list(range(1, 9))
    assert first["weeks"][3]["median"] == first["median"]
    assert first["interval_80"][0] <= first["median"] <= first["interval_80"][1]
    assert {d["ubigeo"] for d in answer["districts"] if d["pooled"]} == {NEW}
    assert sum(answer["counts"].values()) == len(answer["districts"]) == 4
    assert answer["counts"]["epidemia"] == sum(
        d["alert"] == "epidemia" for d in answer["districts"]
    )
    table = delta.read(lake.table("forecasts", "outbreak")).to_pandas()
    row = table[(table["ubigeo"] == RISING) & (table["horizon"] == 4)].iloc[0]
    assert first["prediction_id"] == row["prediction_id"] and first["model"] == "outbreak@1"
    assert first["median"] == row["q0.5"]


def test_a_day_is_told_by_the_newest_data_up_to_it_and_the_newest_model(lake: Settings) -> None:
    older, newer = publish(lake, back=3), publish(lake)
    assert alerts(lake, OUTBREAK, newer - timedelta(days=1))["data_as_of"] == str(older)
    assert {d["model"] for d in alerts(lake, OUTBREAK, newer)["districts"]} == {"outbreak@1"}
    # Published while the service runs: the next question is answered from it.
    publish(lake, version=10)
    publish(lake, version=9)
    answer = alerts(lake, OUTBREAK, newer)
    assert {d["model"] for d in answer["districts"]} == {"outbreak@10"}
    assert len(answer["districts"]) == 4


def test_old_data_are_told_and_too_old_ones_refused(lake: Settings) -> None:
    origin = publish(lake)
    answer = alerts(lake, OUTBREAK, origin + timedelta(weeks=3))
    assert [c["code"] for c in answer["caveats"]] == ["stale_data"]
    alerts(lake, OUTBREAK, origin + timedelta(days=55))
    with pytest.raises(UsageError, match="are over"):
        alerts(lake, OUTBREAK, origin + timedelta(days=56))
    with pytest.raises(UsageError, match="no forecasts up to"):
        alerts(lake, OUTBREAK, origin - timedelta(days=1))


def test_an_alert_is_raised_by_the_costs_of_whoever_asks(lake: Settings) -> None:
    origin = publish(lake)
    plain = alerts(lake, OUTBREAK, origin)
    assert "threshold" not in plain and "raised" not in plain["districts"][0]
    header = answer_files.alerts_csv(plain, OUTBREAK).splitlines()[0]
    raised_by = {}
    for cost, limit in ((1.0, 0.5), (99.0, 0.01), (0.001, 0.999)):
        answer = alerts(lake, OUTBREAK, origin, miss_cost=cost)
        assert (answer["miss_cost"], answer["threshold"]) == (cost, limit)
        for district in answer["districts"]:
            chance = district["exceedance"]
            assert district["raised"] == (None if chance is None else chance > limit)
        raised_by[cost] = sum(bool(d["raised"]) for d in answer["districts"])
        lines = list(csv.reader(io.StringIO(answer_files.alerts_csv(answer, OUTBREAK))))
        assert lines[0][-1] == "raised" and len(set(map(len, lines))) == 1
    assert raised_by[99.0] > raised_by[0.001] and "raised" not in header
    # The entities are kept from one question to the next.
    assert "raised" not in alerts(lake, OUTBREAK, origin)["districts"][0]


def test_what_is_not_there_is_refused(lake: Settings) -> None:
    with pytest.raises(TerminalError):
        alerts(lake, OUTBREAK, LAST.date())
    publish(lake)
    with pytest.raises(UsageError, match="no department 99"):
        alerts(lake, OUTBREAK, LAST.date(), "99")
    assert alerts(lake, OUTBREAK, LAST.date(), "15")["districts"] == []


def test_forecasts_that_no_step_left_raise_no_alert(lake: Settings) -> None:
    origin = publish(lake)
    calm = {d["ubigeo"]: d["alert"] for d in alerts(lake, OUTBREAK, origin)["districts"]}
    assert calm[CALM] != "epidemia"
    table = DeltaTable(str(lake.table("forecasts", "outbreak")))
    table.update({"alert": "'epidemia'"}, predicate=f"ubigeo = '{CALM}'")
    with pytest.raises(ContentError, match="vouched for by no step"):
        alerts(lake, OUTBREAK, origin)
    # The step that writes forecasts begins from what it left itself.
    sole_writer.put_back(lake, "forecasts/outbreak")
    publish(lake, back=3)
    answer = {d["ubigeo"]: d["alert"] for d in alerts(lake, OUTBREAK, origin)["districts"]}
    assert answer == calm
    file = Path(DeltaTable(str(lake.table("forecasts", "outbreak"))).file_uris()[0])
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    alerts_of_another_process()
    with pytest.raises(ContentError, match="is not as the step"):
        alerts(lake, OUTBREAK, origin)
    with pytest.raises(ContentError):
        sole_writer.put_back(lake, "forecasts/outbreak")


def alerts_of_another_process() -> None:
    """Nothing is remembered of what was read before."""
    for cache in (alerts_module._origins, alerts_module._entities):
        cache.cache_clear()


def test_a_map_layer_has_a_feature_for_every_district(lake: Settings, tmp_path: Path) -> None:
    answer = alerts(lake, OUTBREAK, publish(lake), "16")
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
    collection = answer_files.alerts_geojson(answer, OUTBREAK, file)
    json.dumps(collection, allow_nan=False)
    assert collection["type"] == "FeatureCollection" and "crs" not in collection
    by = {f["id"]: f for f in collection["features"]}
    assert len(by) == 4
    # RFC 7946, 3.1.6: the outer ring runs counterclockwise.
    assert by[RISING]["geometry"]["coordinates"] == [clockwise[::-1]]
    assert by[CALM]["geometry"] is None
    assert by[RISING]["properties"]["alert"] == "epidemia"
    without = answer_files.alerts_geojson(answer, OUTBREAK, None)
    assert {f["geometry"] for f in without["features"]} == {None}
    file.with_name("no.geojson").write_text("[]")
    with pytest.raises(TerminalError, match="boundaries"):
        answer_files.alerts_geojson(answer, OUTBREAK, file.with_name("no.geojson"))


def test_a_spreadsheet_has_a_line_a_district_and_runs_no_formula(lake: Settings) -> None:
    answer = alerts(lake, OUTBREAK, publish(lake), "16")
    text = answer_files.alerts_csv(answer, OUTBREAK)
    assert text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text[1:])))
    assert [r["ubigeo"] for r in rows] == [d["ubigeo"] for d in answer["districts"]]
    assert rows[0]["alert"] == "epidemia" and rows[0]["low_80"] and rows[0]["median_8"]
    evil = {**answer["districts"][0], "district": "=1+1", "province": "@x"}
    risky = answer_files.alerts_csv({**answer, "districts": [evil]}, OUTBREAK)
    row = next(iter(csv.DictReader(io.StringIO(risky[1:]))))
    assert row["district"] == "'=1+1" and row["province"] == "'@x"
    assert len(answer_files.alerts_csv({**answer, "districts": []}, OUTBREAK).splitlines()) == 1


def test_names_are_readable_and_empty_for_no_code() -> None:
    assert places.names("160101") == ("Loreto", "Maynas", "Iquitos")
    assert places.names("999999") == ("", "", "")
    assert places.department("16") == "Loreto" and places.department("26") == ""
