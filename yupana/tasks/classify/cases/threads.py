"""What the routes of cases share: the service behind them, and work that waits for the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from anyio import to_thread
from fastapi import Request
from starlette.responses import Response

from yupana.core.errors import YupanaError
from yupana.serving.http.refusal import Problem
from yupana.serving.requests import json_response
from yupana.tasks.classify.cases import refusals
from yupana.tasks.classify.cases.service import CaseService

Result = TypeVar("Result")


def service_of(request: Request) -> CaseService:
    """The cases of the service that answers."""
    service: CaseService = request.app.state.cases
    return service


async def in_thread(work: Callable[[], Result]) -> Result | Problem:
    """What waits for the database, without holding up others; or why it cannot be done."""
    try:
        return await to_thread.run_sync(work)
    except YupanaError as error:
        return refusals.of(error)


def kept_nowhere(content: Any, status: int = 200) -> Response:
    """An answer as JSON that no browser keeps: others use the same machine."""
    response = json_response(content, status)
    response.headers["Cache-Control"] = "no-store"
    return response
