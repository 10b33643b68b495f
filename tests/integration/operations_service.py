"""A small BentoML service behind the service's own layers, for tests; it waits and fails on demand.

Run by `bentoml serve operations_service:Small`; OTLP names a receiver of spans.
"""

from __future__ import annotations

import asyncio
import os

import bentoml
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp

from yupana.predictions.usage import Caller
from yupana.serving.http import bounds, tracing
from yupana.serving.http.access_log import AccessLog
from yupana.serving.http.asgi import split
from yupana.serving.http.guard import Guard
from yupana.serving.http.refusal import OneShape
from yupana.serving.service import front

bounds.BODY_SECONDS, bounds.REQUEST_SECONDS = 1.0, 4.0
APP = FastAPI()
if os.environ.get("OTLP"):
    tracing.start(os.environ["OTLP"], "small", 1.0)


@APP.post("/v1/small/{name}")
async def echo(name: str, request: Request) -> JSONResponse:
    """How much was sent, and the request's name."""
    request.state.caller = Caller("0123456789ab", "DIRESA Loreto", model="small@1")
    with tracing.span("forecast", rows=1):
        body = await request.body()
    return JSONResponse({"bytes": len(body), "named": request.state.request_id})


RUNNING: set[object] = set()


@APP.get("/v1/wait")
async def wait(seconds: float) -> JSONResponse:
    """Answer late."""
    RUNNING.add(mine := object())
    try:
        await asyncio.sleep(seconds)
    finally:
        RUNNING.remove(mine)
    return JSONResponse({"waited": seconds})


@APP.get("/v1/running")
async def running() -> JSONResponse:
    """How many wait."""
    return JSONResponse(len(RUNNING))


@APP.post("/v1/fail")
async def fail(request: Request) -> JSONResponse:
    """Break, with words of the caller in the error."""
    raise RuntimeError(f"broke on {await request.body()!r}")


def stack(rest: ASGIApp) -> Guard:
    """As a service of the platform has it, less the keys."""
    inside = bounds.WholeBody(OneShape(split(APP, rest, rest), {"": "Envíe / Send"}))
    return Guard(inside, AccessLog(), behind_tls=True)


@bentoml.service(
    workers=1,
    service_class=front(stack),
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
)
class Small:
    """Nothing of its own."""
