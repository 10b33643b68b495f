"""A monthly use case from its file to a forecast, by the commands, on a cut of its data."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from command import CommandResult
from command import yupana as command
from conftest import SHARED
from fastapi import FastAPI
from starlette.testclient import TestClient

from models.malaria import USE_CASE
from yupana.config.settings import Settings
from yupana.data.lake import delta
from yupana.features import store, training_sets
from yupana.identity import api_keys
from yupana.identity.api_keys import Terms
from yupana.serving import kind as kinds
from yupana.serving.application import application
from yupana.serving.context import ServiceContext
from yupana.serving.http import asgi
from yupana.tasks.forecast.checks import norms
from yupana.tasks.forecast.dataset import training_set
from yupana.tasks.forecast.frequency import MONTH
from yupana.tasks.forecast.model.model import MEMBERS
from yupana.tasks.forecast.quantiles import LEVELS
from yupana.tasks.forecast.serving import answer_files
from yupana.tasks.forecast.serving.analysis import alerts, sources, what_if
from yupana.tasks.forecast.serving.analysis.explain import Explainer
from yupana.tasks.forecast.serving.analysis.what_if import Change
from yupana.tracking import registry

NAME, DATASET = "malaria", "malaria_climate_monthly"
SOURCE = SHARED / "loreto_climate_malaria" / "loreto_district_monthly_climate_malaria_2000_2017.csv"
PLACES = (
    "160101", "160102", "160106", "160107", "160108", "160109", "160301", "160401", "160112",
)  # fmt: skip
"""As many as a fit needs rows; Putumayo by its retired code."""

SERIES = sorted(
    f"{place.replace('160109', '160801')}-{parasite}"
    for place in PLACES
    for parasite in ("vivax", "falciparum")
)
pytestmark = pytest.mark.skipif(not SOURCE.exists(), reason=f"{SOURCE.name} is not here")

Steps = dict[str, dict[str, Any]]


def say(lake: Settings, *words: str) -> CommandResult:
    return command(lake, *words)


def call(lake: Settings, *words: str) -> dict[str, Any]:
    output = say(lake, *words, "--json")
    assert output.code == 0, output.stderr[-2000:]
    return dict(json.loads(output.stdout.splitlines()[-1]))


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    # Feast's definitions name the home in which they were first imported.
    module = f"feature_repo.{NAME}.definitions"
    sys.modules.pop(module, None)
    store.feature_store.cache_clear()
    yield Settings(home=tmp_path_factory.mktemp("malaria"))
    sys.modules.pop(module, None)
    store.feature_store.cache_clear()


@pytest.fixture(scope="module")
def steps(lake: Settings, tmp_path_factory: pytest.TempPathFactory) -> Steps:
    """Each step once, and what it said."""
    source = tmp_path_factory.mktemp("source") / "cut.csv"
    with SOURCE.open(encoding="utf-8", newline="") as whole, source.open("w", newline="") as cut:
        rows = csv.DictReader(whole)
        writer = csv.DictWriter(cut, rows.fieldnames or [])
        writer.writeheader()
        writer.writerows(row for row in rows if row["IDDIST"] in PLACES)
    reports = {
        "ingest": call(lake, "ingest", DATASET, "--source", str(source)),
        "features": call(lake, "features", NAME),
        "split": call(lake, "split", NAME),
    }
    split = reports["split"]["outputs"][0]
    for member in MEMBERS:
        reports[member] = call(lake, "fit", NAME, "--split", split, "--member", member)
    members = [w for m in MEMBERS for w in ("--member", reports[m]["outputs"][0])]
    reports["pool"] = call(lake, "pool", NAME, "--split", split, *members)
    candidate = reports["pool"]["outputs"][0]
    reports["backtest"] = call(lake, "backtest", NAME, "--candidate", candidate)
    reports["evaluate"] = call(lake, "evaluate", NAME, "--candidate", candidate)
    reports["register"] = call(
        lake, "register", NAME, "--candidate", candidate, "--backtest",
        reports["backtest"]["outputs"][0],
    )  # fmt: skip
    reports["predict"] = call(lake, "predict", NAME)
    reports["monitor"] = call(lake, "monitor", NAME, "--no-answers")
    return reports


def test_every_step_is_done(steps: Steps) -> None:
    assert {name: s["status"] for name, s in steps.items()} == dict.fromkeys(steps, "done")
    assert steps["register"]["alias"] == "champion", steps["register"]["reason"]


def test_features_are_months_of_both_parasites(lake: Settings, steps: Steps) -> None:
    rows = delta.read(lake.table("features", USE_CASE.spec.features.table))
    assert sorted(rows["series"].unique()) == SERIES
    ends = sorted(rows["event_timestamp"].dt.date().unique())
    assert ends[-1] == date(2017, 12, 31) and all(MONTH.end(day) == day for day in ends)
    published = delta.read(lake.table("published", DATASET))
    month = pl.col("month_start") == date(2017, 12, 1)
    cases = published.filter(month, ubigeo="160101")["vivax_cases"].item()
    newest = rows.filter(series="160101-vivax").sort("event_timestamp").row(-1, named=True)
    assert newest["cases_lag_0"] == cases and newest["completeness"] == 1.0
    department = published.filter(month).select(pl.col("vivax_cases") + pl.col("falciparum_cases"))
    assert newest["department_lag_0"] == department.sum().item()
    assert newest["temperature"] > 20 and newest["precipitation"] > 0


def test_targets_are_months_ahead_and_parts_are_a_year(lake: Settings, steps: Steps) -> None:
    rows = training_sets.load(lake, NAME, steps["split"]["outputs"][0])
    one = rows[rows["series"] == SERIES[0]].reset_index(drop=True)
    assert one["part"].value_counts().to_dict() | {"train": 0} == {
        "train": 0, "validation": 12, "test": 12, "gap": 6,
    }  # fmt: skip
    for horizon in USE_CASE.horizons:
        later = one["cases_lag_0"].shift(-horizon)
        assert later.equals(one[f"target_{horizon}"])


def test_the_forecast_is_three_months_of_every_series(lake: Settings, steps: Steps) -> None:
    rows = delta.read(lake.table("forecasts", NAME))
    assert sorted(rows["series"].unique()) == SERIES and set(rows["horizon"]) == {1, 2, 3}
    assert set(rows["origin"]) == {date(2017, 12, 31)}
    assert (rows.select(pl.concat_list(LEVELS).list.diff().list.min()).to_series() >= 0).all()
    assert rows["alert"].is_not_null().all(), "eighteen years make an endemic channel"
    areas = delta.read(lake.table("forecasts", f"{NAME}_areas"))
    assert areas.filter(area="16")["districts"].unique().to_list() == [len(SERIES)]
    assert steps["predict"]["alerts"]["month"] == "2018-01-31"
    assert steps["predict"]["stale_months"] > 90
    page = (lake.reports / f"forecast-{NAME}.html").read_text("utf-8")
    assert "Iquitos (vivax)" in page and "mes que termina el 2018-01-31" in page
    assert "semana" not in page and "week" not in page


def test_alerts_are_of_next_month_in_its_own_nouns(lake: Settings, steps: Steps) -> None:
    told = alerts.alerts(lake, USE_CASE, date(2018, 1, 15))
    assert told["month_ending"] == "2018-01-31" and told["lead"] == 1
    assert sorted(one["series"] for one in told["series"]) == SERIES
    assert sum(told["counts"].values()) == len(SERIES)
    first = told["series"][0]
    assert [month["month_ending"] for month in first["months"]] == [
        "2018-01-31", "2018-02-28", "2018-03-31",
    ]  # fmt: skip
    sheet = answer_files.alerts_csv(told, USE_CASE).splitlines()
    assert sheet[0].startswith("\ufeffseries,month_ending,alert") and len(sheet) == 19
    assert "week" not in json.dumps(told) + sheet[0]


def test_a_forecast_is_explained_and_simulated_by_months(lake: Settings, steps: Steps) -> None:
    """The row of a series computed from the newest months is that of the whole table."""
    _, folder = registry.champion(lake, NAME)
    ref, entity = steps["features"]["outputs"][0], "160101-vivax"
    past = sources.past_features(lake, USE_CASE, ref, entity)
    tables = sources.tables(lake, USE_CASE, ref)
    same = what_if.features(USE_CASE, tables, entity, Change())
    names = list(USE_CASE.layout().features)
    np.testing.assert_allclose(same[names].iloc[0].to_numpy(float), past[names].iloc[-1])
    more = what_if.features(USE_CASE, tables, entity, Change(factor=2))
    assert more["cases_lag_0"].item() == 2 * same["cases_lag_0"].item()
    assert more["cases_lag_1"].item() == same["cases_lag_1"].item(), "alerts look a month ahead"
    cases = sources.cases(USE_CASE, tables, USE_CASE.places.area_of(entity))
    assert cases.index[-1].date() == date(2017, 12, 31) and len(cases) == 18 * 12
    told = Explainer(USE_CASE, USE_CASE.load(folder)).run(same, past, cases, horizon=3)
    assert told["series"] == entity and told["month_ending"] == "2018-01-31"
    assert told["background"]["months"] == 12
    groups = {group["group"] for group in told["groups"]}
    assert {"recent_cases", "department", "measures"} <= groups
    added = sum(group["cases"] for group in told["groups"])
    assert added == pytest.approx(told["median"] - told["usual"], abs=0.01)
    assert all(s["month_ending"][5:] in ("11-30", "12-31", "01-31") for s in told["seasons"])
    assert "week" not in json.dumps(told) and "semana" not in json.dumps(told)


@pytest.fixture
def client(lake: Settings, steps: Steps, own_store: None) -> Iterator[TestClient]:
    """All layers of the use case's service in this process, for a key of an agency."""
    call(lake, "deploy", NAME)
    kind = kinds.load(USE_CASE.spec.task)
    app, preparation = application(USE_CASE.spec, kind), kind.preparation(lake, NAME)
    context = app.state.context = ServiceContext(lake, NAME, preparation)
    kind.start(app, context, preparation)
    terms = Terms("A", (f"{NAME}:*", "feedback:write"), quota="none", rate="none")
    key = api_keys.create(lake.platform_db, terms, now=datetime.now(UTC), by="test")
    stack = asgi.layers(app, FastAPI(), app.state.how_to_ask, lake, FastAPI())
    with TestClient(stack, headers={"Authorization": f"Bearer {key}"}) as client:
        yield client
    context.close()


def test_an_alert_is_explained_and_judged_by_its_id(client: TestClient) -> None:
    (listed, *_) = client.get(f"/v1/{NAME}/alerts?as_of=2018-01-15").json()["series"]
    name, month = listed["prediction_id"], listed["months"][0]["month_ending"]
    answer = client.get(f"/v1/{NAME}/explain/{name}")
    assert answer.status_code == 200, answer.text
    explained = answer.json()
    for field in ("series", "model", "median", "month_ending"):
        assert explained[field] == listed[field], field
    observed = {"kind": "observed", "month_ending": month, "cases": 4}
    assert client.post(f"/v1/feedback/{name}", json=observed).status_code == 201
    assert client.get(f"/v1/{NAME}/explain/{'0' * 32}").status_code == 404


def test_impact_is_measured_by_months_and_for_both_parasites(lake: Settings, steps: Steps) -> None:
    made = call(lake, "impact", NAME)
    report = json.loads(Path(made["json"]).read_text("utf-8"))
    assert report["alert"]["months_ahead"] == 1 and report["bootstrap"]["run_months"] == 3
    everyone = report["groups"][0]
    # The last of the twelve has no month after it yet.
    assert everyone["districts"] == len(SERIES) and everyone["months"] == 11
    assert everyone["ratio"] > 0 and everyone["missed"]["of"] > 0
    assert {g["by"] for g in report["groups"]} == {"all", "department", "province", "size"}
    assert {u["by"] for u in report["unmeasured"]} == {"rural", "poverty", "language", "age"}
    page = Path(made["html"]).read_text("utf-8")
    assert "Se pregunta 1 mes antes." in page and "semana" not in page + report["summary_es"]


def test_the_month_is_checked_by_the_norms_of_months(lake: Settings, steps: Steps) -> None:
    report = json.loads(Path(steps["monitor"]["json"]).read_text("utf-8"))
    states = {c["check"]: c["state"] for c in report["checks"]}
    assert "norms" not in states and states["identity"] == "ok"
    assert {states[check] for check in ("multiple", "shift", "still")} <= {"ok", "alarm"}
    assert "semana" not in json.dumps(report["checks"]) and "months" in report["performance"]


def test_norms_are_learned_from_the_published_months(
    lake: Settings, steps: Steps, tmp_path: Path
) -> None:
    out = tmp_path / "norms.json"
    words = ("norms", NAME, "--before", "2012", "--out", str(out))
    assert call(lake, *words)["to"] == "2011-12-31"
    learned, shipped = norms.load(out), norms.load(norms.path_of(NAME))
    assert {"identity", "multiple", "shift", "still"} <= set(learned.limits) <= set(shipped.limits)
    assert learned.periods > 100
    assert call(lake, *words)["status"] == "unchanged"
    out.unlink()
    assert call(lake, *words)["status"] == "done", "the file is made again where it is gone"


def test_what_does_not_apply_is_refused_not_wrong(lake: Settings, steps: Steps) -> None:
    for words, phrase in (
        (("nowcast", NAME), "known to be reported late"),
        (("backtest", NAME, "--origins", "2015-W01:2016-W01:4"), "2014-01:2016-12:3"),
    ):
        output = say(lake, *words)
        assert output.code == 2 and phrase in " ".join(output.stderr.split()), output.stderr


def test_the_forecast_of_a_past_day_sees_ended_months_alone(lake: Settings, steps: Steps) -> None:
    report = call(lake, "features", NAME, "--as-of", "2016-03-30")
    assert report["data_as_of"] == "2016-02-29" and report["hindsight"]


def test_the_champion_is_read_again_and_has_its_card(lake: Settings, steps: Steps) -> None:
    version, folder = registry.champion(lake, NAME)
    rows = training_set.load(lake, NAME, steps["split"]["outputs"][0])
    quantiles = USE_CASE.load(folder).quantiles(rows.tail(5), (0.1, 0.5, 0.9))
    assert (
        quantiles.shape == (5, 3, 3)
        and (np.diff(quantiles, axis=-1) >= 0).all()
        and (quantiles >= 0).all()
    )
    card = (folder / "README.md").read_text("utf-8")
    assert version and "P. vivax" in card
