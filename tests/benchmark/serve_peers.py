"""The same answer from a bare FastAPI worker: no key, no log, no forecast.

`typed` is written as FastAPI teaches it, `ready` does the least that FastAPI can.
"""

import os
from pathlib import Path
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.responses import Response

from yupana.tasks.forecast import usecases
from yupana.tasks.forecast.serving.question import questions

READY = Path(os.environ["BENCH_BODY"]).read_bytes()
TOLD = orjson.loads(READY)
PATH = "/v1/outbreak/forecast"
Question: Any = questions(usecases.load("outbreak")).forecast

ready, typed = FastAPI(), FastAPI()


@ready.post(PATH)
async def bytes_as_they_are() -> Response:
    return Response(READY, media_type="application/json")


@typed.post(PATH)
async def read_and_written(question: Question) -> dict[str, Any]:
    return TOLD


@ready.get("/readyz")
@typed.get("/readyz")
async def is_ready() -> dict[str, str]:
    return {}
