"""A plain route is called by its address, and is in everything else a route like all others."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response
from starlette.testclient import TestClient

from yupana.serving.http.asgi import split
from yupana.serving.requests import PlainRoute, body_of

ADDRESS = "/v1/thing/forecast"


def application() -> FastAPI:
    plain, app = APIRouter(route_class=PlainRoute), FastAPI()

    @plain.post(ADDRESS)
    async def echo(request: Request) -> Response:
        return Response(await body_of(request), headers={"app": request.app.title})

    app.include_router(plain)
    return app


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("BentoML is not asked")


def test_it_is_answered_without_the_layers_of_fastapi(monkeypatch: pytest.MonkeyPatch) -> None:
    app = application()
    monkeypatch.setattr(app, "build_middleware_stack", lambda: nothing)
    answer = TestClient(split(app, nothing, nothing)).post(ADDRESS, content=b"question")
    assert (answer.content, answer.headers["app"]) == (b"question", "FastAPI")


def test_another_method_or_address_is_fastapis() -> None:
    app = application()
    client = TestClient(split(app, nothing, nothing))
    assert client.get(ADDRESS).status_code == 405
    assert client.post(f"{ADDRESS}/more").status_code == 404
    assert ADDRESS in app.openapi()["paths"]
