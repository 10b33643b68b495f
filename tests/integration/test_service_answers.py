"""What the service answers, byte by byte, but for ids and times; to whom; and by which model.

A real service on a home of its own, with a small model that is kept. To write the golden answers
anew after a change that is meant: YUPANA_WRITE_GOLDEN=1 pytest this file.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import small_service
from late_lake import DISTRICTS
from small_service import EARLIER, NAME, NEWEST

from yupana.config.settings import Settings
from yupana.core import spec
from yupana.identity import api_keys
from yupana.identity.local_key import local_key
from yupana.orchestration import service
from yupana.predictions import prediction_log, service_log
from yupana.predictions.prediction_log import PredictionRecord, new_id

GOLDEN = Path(__file__).parents[1] / "golden" / "outbreak_answers.json"
HERE, SMALL = DISTRICTS[0], DISTRICTS[-1]
DAY = str(NEWEST + timedelta(days=4))
PUBLIC = "https://pronosticos.gob.pe/api"
_NEW_ID = re.compile(r'("(?:prediction_id|request_id)":")[0-9a-f-]+"')


def _forecast(**body: Any) -> tuple[str, str, Any]:
    return "POST", "/v1/outbreak/forecast", {"as_of": DAY, **body}


def _simulate(**body: Any) -> tuple[str, str, Any]:
    return "POST", "/v1/outbreak/simulate", {"ubigeo": HERE, **body}


def _alerts(**query: str) -> tuple[str, str, Any]:
    parts = "&".join(f"{k}={v}" for k, v in {"as_of": DAY, **query}.items())
    return "GET", f"/v1/outbreak/alerts?{parts}", None


ASKED: dict[str, tuple[str, str, Any]] = {
    "forecast of one": _forecast(ubigeo=HERE),
    "forecast of several, of which one is unknown": _forecast(
        ubigeo=[SMALL, "999999", HERE], horizon=2
    ),
    "forecast from stale data": _forecast(
        ubigeo=[HERE], horizon=1, as_of=str(NEWEST + timedelta(weeks=3))
    ),
    "forecast when all weeks are over": _forecast(
        ubigeo=[HERE], as_of=str(NEWEST + timedelta(weeks=9))
    ),
    "forecast of a past day": _forecast(ubigeo=[HERE], horizon=1, as_of=str(EARLIER)),
    "forecast of a day that none was recorded for": _forecast(ubigeo=[HERE], as_of="2018-01-06"),
    "forecast of a field that is none": _forecast(ubigeo=[HERE], horizn=1),
    "forecast of a code that is none": _forecast(ubigeo=["16"]),
    "forecast over too many weeks": _forecast(ubigeo=[HERE], horizon=9),
    "alerts": _alerts(),
    "alerts of a department": _alerts(department="16", format="csv"),
    "alerts as a map": _alerts(format="geojson"),
    "alerts of a department that is none": _alerts(department="99"),
    "alerts by what a missed one costs": _alerts(department="16", miss_cost="5"),
    "alerts by costs, for a spreadsheet": _alerts(miss_cost="5", format="csv"),
    "alerts by a cost of nothing": _alerts(miss_cost="0"),
    "alerts before there were forecasts": _alerts(as_of="2018-01-06"),
    "simulation of a factor": _simulate(recent_cases=2.0, horizon=2),
    "simulation of weeks": _simulate(recent_cases=[5, 9, 12], horizon=1),
    "simulation of weather that the model does not read": _simulate(climate={"temperature": 1}),
    "simulation far outside": _simulate(recent_cases=[100_000], horizon=1),
    "simulation of nothing": _simulate(),
    "simulation of a district that is none": _simulate(ubigeo="999999", recent_cases=2.0),
    "models": ("GET", "/v1/models", None),
    "card": ("GET", "/v1/models/outbreak/1/card", None),
    "card of a version that is none": ("GET", "/v1/models/outbreak/9/card", None),
    "explanation of an answer that is none": (
        "GET", f"/v1/outbreak/explain/{'0' * 32}", None
    ),
}  # fmt: skip


@dataclass
class Running:
    """A service that answers, and the local key."""

    settings: Settings
    url: str
    key: str

    def ask(self, method: str, path: str, body: Any = None, key: str = "") -> httpx.Response:
        headers = {"Authorization": f"Bearer {key or self.key}"}
        return httpx.request(method, f"{self.url}{path}", headers=headers, json=body, timeout=60)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("small") / "home"
    config = Settings(home=home, serve_port=0, public_url=PUBLIC)
    small_service.run(config)
    with service.running(config, NAME) as url:
        yield Running(config, url, local_key(config.platform_db, config.home))


def _told(answer: httpx.Response) -> dict[str, Any]:
    new = answer.request.method == "POST" or answer.status_code >= 400
    text = _NEW_ID.sub(r'\1…"', answer.text) if new else answer.text
    return {"status": answer.status_code, "type": answer.headers["content-type"], "body": text}


def _answers(running: Running) -> dict[str, dict[str, Any]]:
    answers = {name: _told(running.ask(*question)) for name, question in ASKED.items()}
    prediction = running.ask(*_forecast(ubigeo=[HERE], horizon=8)).json()["predictions"][0]
    explained = running.ask("GET", f"/v1/outbreak/explain/{prediction['prediction_id']}")
    own = explained.text.replace(prediction["prediction_id"], "…")
    return answers | {"explanation": {**_told(explained), "body": own}}


def test_every_answer_is_as_it_was(running: Running) -> None:
    answers = _answers(running)
    if os.environ.get("YUPANA_WRITE_GOLDEN"):
        text = json.dumps(answers, indent=1, ensure_ascii=False)
        GOLDEN.write_text(text + "\n", encoding="utf-8")
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert set(answers) == set(golden)
    for name, answer in golden.items():
        assert answers[name] == answer, name


def _models(running: Running) -> list[dict[str, Any]]:
    models: list[dict[str, Any]] = running.ask("GET", "/v1/models").json()["models"]
    return models


def _place(running: Running, share: float) -> None:
    """A canary with a share, once the service has seen it."""
    small_service.run(running.settings, "challenge", str(share))
    end = time.monotonic() + 30
    while [(m["state"], m["share"]) for m in _models(running)] != [
        ("serves", 1.0), ("canary", share)
    ]:  # fmt: skip
        assert time.monotonic() < end, _models(running)
        time.sleep(0.2)


def _answering(running: Running, keys: list[str]) -> dict[str, str]:
    """By key the one model that answers it, however often it asks."""
    models = {}
    for key in keys:
        answers = [running.ask(*_forecast(ubigeo=[HERE], horizon=1), key=key) for _ in range(3)]
        (models[key],) = {a.json()["predictions"][0]["model"] for a in answers}
    return models


def test_a_canary_answers_the_same_callers_each_time_and_more_as_its_share_grows(
    running: Running,
) -> None:
    terms = api_keys.Terms("A", ("outbreak:forecast",), quota="none", rate="none")
    url, now = running.settings.platform_db, datetime.now(UTC)
    keys = [api_keys.create(url, terms, now=now, by="test") for _ in range(24)]
    canary = f"{NAME}@2"
    few, many = [
        {key for key, model in _answering(running, keys).items() if model == canary}
        for share in (0.25, 0.75)
        if _place(running, share) is None
    ]
    assert few < many < set(keys), (len(few), len(many))
    assert len(few) <= 15 and len(many) >= 9


async def _record(running: Running, use_case: str) -> str:
    """One of the service's answers once more in the log, as another use case's."""
    answer = running.ask(*_forecast(ubigeo=[HERE], horizon=1)).json()["predictions"][0]
    url = running.settings.platform_db
    entry = prediction_log.by_id(url, answer["prediction_id"], NAME)
    assert entry is not None
    other = prediction_log.prediction(
        entry.basis._replace(use_case=use_case), entry.entity, entry.payload,
        payload_version=entry.payload_version, features=entry.features, caveats=entry.caveats,
    )  # fmt: skip
    recorder = service_log.recorder(running.settings, spec.load(NAME))
    while not recorder.ready():
        await asyncio.sleep(0.05)
    record = PredictionRecord(
        new_id(time.time()), time.time(), other, entry.parameters, entry.key_id, entry.agency,
        "answer", "r",
    )  # fmt: skip
    await recorder.record([record])
    recorder.close()
    return record.prediction_id


@pytest.mark.parametrize(("use_case", "status"), [(NAME, (200, 201)), ("other", (404, 404))])
def test_a_service_explains_and_takes_feedback_on_its_own_use_case_alone(
    running: Running, use_case: str, status: tuple[int, int]
) -> None:
    """Also for a key that reads every agency's predictions."""
    prediction = asyncio.run(_record(running, use_case))
    observed = {"kind": "observed", "week_ending": str(NEWEST + timedelta(weeks=1)), "cases": 4}
    explained = running.ask("GET", f"/v1/outbreak/explain/{prediction}")
    noted = running.ask("POST", f"/v1/feedback/{prediction}", observed)
    assert (explained.status_code, noted.status_code) == status, (explained.text, noted.text)


def test_a_forecast_as_a_spreadsheet_loses_nothing(running: Running) -> None:
    method, path, body = _forecast(ubigeo=[SMALL, "999999", HERE], horizon=2)
    told = running.ask(method, path, body).json()
    answer = running.ask(method, f"{path}?format=csv", body)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].endswith(f'"outbreak-forecast-{DAY}.csv"')
    lines = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    steps = [(p, week) for p in told["predictions"] for week in p["weeks"]]
    assert len(lines) == len(steps) + len(told["abstentions"]) == 5
    for line, (prediction, week) in zip(lines, steps, strict=False):
        assert len(line["prediction_id"]) == 32 and line["abstention"] == ""
        assert (line["ubigeo"], line["week_ending"]) == (prediction["ubigeo"], week["week_ending"])
        assert [float(line[f"q{level}"]) for level in week["quantiles"]] == [
            *week["quantiles"].values()
        ]
        assert line["caveats"].split() == [caveat["code"] for caveat in prediction["caveats"]]
        assert all(caveat["es"] in line["es"] for caveat in prediction["caveats"])
    (reason,) = told["abstentions"]
    last = lines[-1]
    assert (last["ubigeo"], last["abstention"], last["median"]) == ("999999", reason["code"], "")
    assert (last["es"], last["en"]) == (reason["es"], reason["en"])
    explained = running.ask("GET", f"/v1/outbreak/explain/{lines[0]['prediction_id']}")
    assert explained.status_code == 200, "it is in the log, as any answer"
    strange = running.ask(method, f"{path}?format=xlsx", body)
    assert (strange.status_code, strange.json()["where"]) == (400, "format")


def test_the_description_says_where_the_service_is(running: Running) -> None:
    page = httpx.get(f"{running.url}/openapi.json").json()
    assert page["servers"] == [{"url": PUBLIC}]
