"""What an address does not have is refused: in its path, its query and its body."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from yupana.core import spec
from yupana.predictions.usage import Caller
from yupana.serving import kind
from yupana.serving.application import application
from yupana.serving.http.asgi import split
from yupana.serving.http.refusal import OneShape

ALERTS, FORECAST = "/v1/outbreak/alerts", "/v1/outbreak/forecast"


class Predictions:
    """In place of the models: repeats the question."""

    async def forecast(self, question: Any, *_: Any, form: str) -> Response:
        return JSONResponse({"asked": question.entities, "form": form})

    async def alerts(self, area: str, *_: Any) -> Response:
        return JSONResponse({"area": area})

    async def simulate(self, *_: Any) -> Response:
        raise AssertionError("not asked")


@pytest.fixture(scope="module")
def client() -> TestClient:
    about = spec.load("outbreak")
    app = application(about, kind.load(about.task))
    app.state.predictions = app.state.analysis = Predictions()

    rest = Starlette(routes=[Route("/livez", PlainTextResponse("ok"))])
    inside = OneShape(split(app, rest, rest), app.state.how_to_ask)

    async def layers(scope: Any, receive: Any, send: Any) -> None:
        scope["state"] = {"caller": Caller(), "request_id": "1"}
        await inside(scope, receive, send)

    return TestClient(layers, follow_redirects=False)


@pytest.mark.parametrize("path", ["/v1/models/", "/v1/outbreak/forecast/", "/livez/"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_address_sends_the_caller_to_another(client: TestClient, method: str, path: str) -> None:
    answer = client.request(method, path, headers={"Host": "evil.example"})
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:yupana:problem:not_found")
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    ("path", "where", "fix"),
    [
        ("/v1/predictions?limit=1&entitiy=160201", "entitiy", "entity"),
        ("/v1/predictions?sinse=2022-01-01", "sinse", "since"),
        (f"{ALERTS}?dep=16", "dep", "department"),
        (f"{ALERTS}?format=csv&format=json", "format", "una sola vez"),
        (f"{ALERTS}?Format=csv", "Format", "format"),
        ("/v1/models?x", "x", "no tiene parámetros"),
    ],
)
def test_a_parameter_that_is_unknown_or_repeated_is_refused(
    client: TestClient, path: str, where: str, fix: str
) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()["where"]) == (400, where)
    assert fix in answer.json()["fix"] and " / " in answer.json()["fix"]


def test_those_that_there_are_go_on_being_taken(client: TestClient) -> None:
    assert client.get(f"{ALERTS}?department=16&format=csv").json() == {"area": "16"}
    body = {"ubigeo": "160101"}
    assert client.post(f"{FORECAST}?format=csv", json=body).json()["form"] == "csv"
    wrong = client.post(f"{FORECAST}?fromat=csv", json=body)
    assert (wrong.status_code, wrong.json()["where"]) == (400, "fromat")


@pytest.mark.parametrize(
    ("path", "body", "where"),
    [
        (FORECAST, '{"ubigeo":"160101","ubigeo":"160201"}', "ubigeo"),
        (FORECAST, '{"ubigeo":"160101","\\u0075bigeo":"160201"}', "ubigeo"),
        (
            "/v1/outbreak/simulate",
            '{"ubigeo":"160101","climate":{"temperature":1,"temperature":2}}',
            "temperature",
        ),
    ],
)
def test_a_field_that_is_sent_twice_is_refused(
    client: TestClient, path: str, body: str, where: str
) -> None:
    answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["where"]) == (400, where)
    assert json.loads(body), "it is JSON"
