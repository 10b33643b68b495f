"""GET with entity tags and gzip; a page of the use case's own; bodies that are no JSON."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from yupana.core import spec
from yupana.serving import requests
from yupana.serving.http import asgi
from yupana.serving.http.reads import Reads
from yupana.serving.http.refusal import Problem


class Question(BaseModel):
    entity: str


def application() -> FastAPI:
    app = FastAPI()
    app.state.how_to_ask = {"": "Mire la página /."}

    @app.get("/v1/long")
    async def long() -> Response:
        return JSONResponse({"text": "á" * 3000})

    @app.get("/v1/none")
    async def none() -> Response:
        return JSONResponse({"title": "no"}, 404)

    @app.post("/v1/ask")
    async def ask(request: Request) -> Response:
        sent = await requests.question(request, Question)
        return sent if isinstance(sent, Problem) else JSONResponse(sent.model_dump())

    return app


@pytest.fixture
async def client():
    transport = httpx.ASGITransport(app=Reads(application()))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_what_the_caller_has_is_not_sent_again(client: httpx.AsyncClient) -> None:
    first = await client.get("/v1/long")
    tag = first.headers["etag"]
    assert first.headers["content-encoding"] == "gzip"
    assert first.json() == {"text": "á" * 3000}
    assert first.headers["cache-control"] == "private, no-cache"
    for held in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        again = await client.get("/v1/long", headers={"If-None-Match": held})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    other = await client.get("/v1/long", headers={"If-None-Match": 'W/"other"'})
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("identity", None), ("gzip;q=0, identity", None), ("br, GZIP; q=0.000", None),
        ("gzip;q=0.5, identity", "gzip"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip"),
    ],
)  # fmt: skip
async def test_it_is_compressed_for_who_takes_that(
    client: httpx.AsyncClient, accepted: str, encoding: str | None
) -> None:
    answer = await client.get("/v1/long", headers={"Accept-Encoding": accepted})
    assert answer.headers.get("content-encoding") == encoding
    assert "Accept-Encoding" in answer.headers["vary"] and answer.json() == {"text": "á" * 3000}


async def test_an_error_or_a_question_has_no_tag(client: httpx.AsyncClient) -> None:
    for answer in (await client.get("/v1/none"), await client.post("/v1/ask", json={})):
        assert "etag" not in answer.headers


@pytest.mark.parametrize("media", ["text/plain", "multipart/form-data", "text/csv"])
async def test_what_is_not_sent_as_json_is_refused(client: httpx.AsyncClient, media: str) -> None:
    sent = await client.post("/v1/ask", content='{"entity": "a"}', headers={"Content-Type": media})
    assert sent.status_code == 415
    assert sent.json()["type"] == "urn:yupana:problem:not_json"
    assert "application/json" in sent.json()["fix"]
    curl = "application/x-www-form-urlencoded"
    for good in ("application/json", "Application/JSON; charset=utf-8", curl):
        answer = await client.post(
            "/v1/ask", content='{"entity": "a"}', headers={"Content-Type": good}
        )
        assert answer.json() == {"entity": "a"}


def test_the_first_page_is_in_spanish_and_loads_nothing_from_elsewhere() -> None:
    about = spec.load(spec_name := "outbreak")
    page = asgi.page(about).body.decode()
    assert about.title.es in page and about.title.en in page and spec_name in page
    assert "http://" not in page and "https://" not in page and "<script>" not in page
