"""An address that is to end says so in each answer and in the description; no other does."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response
from starlette.testclient import TestClient

from yupana.core.errors import UsageError
from yupana.serving import deprecation, openapi
from yupana.serving.deprecation import Deprecation, deprecated
from yupana.serving.http.asgi import split
from yupana.serving.requests import PlainRoute

ENDING = Deprecation(date(2027, 1, 1), date(2028, 1, 1), "/v2/thing")
HEADERS = {
    "deprecation": "@1798761600",
    "sunset": "Sat, 01 Jan 2028 00:00:00 GMT",
    "link": '</v2/thing>; rel="successor-version"',
}


@pytest.fixture
def app() -> FastAPI:
    plain, app = APIRouter(route_class=PlainRoute), FastAPI(servers=[{"url": "/"}])

    @plain.post("/v1/thing/old")
    @deprecated(ENDING)
    async def old(request: Request) -> Response:
        return Response("old")

    @plain.get("/v1/thing/new")
    async def new(request: Request) -> Response:
        return Response("new")

    @app.get("/v1/thing/read/{name}")
    @deprecated(ENDING)
    async def read(name: int) -> Response:
        return Response("read")

    app.include_router(plain)
    deprecation.apply(app.routes)
    return app


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("BentoML is not asked")


def test_each_answer_of_it_says_since_when_until_when_and_what_takes_its_place(
    app: FastAPI,
) -> None:
    client = TestClient(split(app, nothing, nothing))
    for answer in (
        client.post("/v1/thing/old"),
        client.get("/v1/thing/read/1"),
        client.get("/v1/thing/read/x"),
    ):
        said = {name: value for name, value in answer.headers.items() if name in HEADERS}
        assert said == HEADERS, answer.url
    assert not set(HEADERS) & set(client.get("/v1/thing/new").headers)


def test_the_description_marks_it(app: FastAPI) -> None:
    page = openapi.page(app)
    paths = page["paths"]
    for operation in (paths["/v1/thing/old"]["post"], paths["/v1/thing/read/{name}"]["get"]):
        assert operation["deprecated"] is True and operation["x-sunset"] == "2028-01-01"
        headers = operation["responses"]["200"]["headers"]
        assert {"Deprecation", "Sunset", "Link"} <= set(headers)
        assert set(headers) <= set(page["components"]["headers"])
    new = paths["/v1/thing/new"]["get"]
    assert "deprecated" not in new and "Sunset" not in new["responses"]["200"]["headers"]


def test_no_address_ends_sooner_than_was_promised() -> None:
    with pytest.raises(UsageError, match="364 days"):
        Deprecation(date(2027, 1, 1), date(2027, 12, 31), "/v2/thing")
