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


FEEDBACK = f"/v1/feedback/{'0' * 32}"
ONE = '{"ubigeo": "160101", "recent_cases": '


@pytest.mark.parametrize(
    ("path", "example"),
    [(FORECAST, "horizon"), ("/v1/outbreak/simulate", "recent_cases"), (FEEDBACK, "week_ending")],
)
@pytest.mark.parametrize("body", ["{cut", "[]", '{"colour": 1}'])
def test_a_body_that_is_none_is_mended_by_the_example_of_its_address(
    client: TestClient, path: str, example: str, body: str
) -> None:
    answer = client.post(path, content=body).json()
    if answer["where"] in ("cuerpo / body", "colour"):
        said, _, shown = answer["fix"].partition(": ")
        assert said == "Envíe un objeto JSON como este / Send a JSON object like this"
        assert example in json.loads(shown)
    else:
        assert body == '{"colour": 1}' and answer["where"] in ("ubigeo", "kind")


@pytest.mark.parametrize(
    ("path", "body", "where", "es", "en"),
    [
        (FORECAST, '{"ubigeo": 1}', "ubigeo", "es de un tipo", "of a type"),
        (FORECAST, '{"ubigeo": []}', "ubigeo", "1 o más", "1 or more"),
        (FORECAST, '{"ubigeo": "x"}', "ubigeo.0", "forma debida", "right form"),
        (FORECAST, '{"ubigeo": "160101", "as_of": 5}', "as_of", "un texto como", "a text such"),
        (FORECAST, '{"ubigeo": "160101", "as_of": "2022-02-30"}', "as_of", "ese día", "such day"),
        (FORECAST, '{"ubigeo": "160101", "horizon": 1.5}', "horizon", "número entero", "whole"),
        ("/v1/outbreak/simulate", ONE + "11}", "recent_cases", "10 o menos", "10 or less"),
        ("/v1/outbreak/simulate", ONE + "[100001]}", "recent_cases.0", "100000 o", "100000 or"),
        (FEEDBACK, '{"kind": "x"}', "kind", "'observed', 'complaint'", "'observed', 'complaint'"),
        (
            FEEDBACK, '{"kind": "observed", "cases": 1000001}', "cases", "1000000 o menos",
            "1000000 or less",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_plain_words_of_both_languages(
    client: TestClient, path: str, body: str, where: str, es: str, en: str
) -> None:
    answer = client.post(path, content=body).json()
    spanish, _, english = answer["title"].partition(". / ")
    assert es in spanish and en in english and " / " in answer["fix"]
    assert answer["where"] == where
    for words in ("Input should", "Value error", "valid array", "function"):
        assert words not in json.dumps(answer)


def test_a_parameter_that_is_wrong_is_said_alike(client: TestClient) -> None:
    for path, es in (
        (f"{ALERTS}?format=xml", "debe ser uno de: 'json', 'geojson', 'csv'"),
        (f"{ALERTS}?as_of=5", "un día es un texto"),
        ("/v1/predictions?limit=x", "debe ser un número entero"),
        ("/v1/predictions?since=2022-02-30", "ese día no existe"),
        ("/v1/outbreak/explain/x", "no tiene la forma debida"),
    ):
        title = client.get(path).json()["title"]
        assert title.startswith(f"La solicitud no es válida: {es}"), title
        assert "Input" not in title and "Value" not in title
