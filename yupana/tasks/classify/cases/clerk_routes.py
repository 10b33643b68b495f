"""The addresses of clerks: the queue, one case, and what is done with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from yupana.ledger import pseudonyms
from yupana.serving import requests
from yupana.serving.http.refusal import Problem
from yupana.serving.schemas import CONFLICT, FILE_HEADERS, NOT_FOUND, body
from yupana.tasks.classify.cases import queue, schemas, views
from yupana.tasks.classify.cases.case import OPEN, Case, Person
from yupana.tasks.classify.cases.handling import Desk
from yupana.tasks.classify.cases.queue import Filter
from yupana.tasks.classify.cases.rules import Rules
from yupana.tasks.classify.cases.service import CaseService
from yupana.tasks.classify.cases.threads import in_thread, kept_nowhere, service_of

CaseId = Annotated[str, Path(pattern=schemas.CASE_ID, description="de la cola / of the queue")]
Hash = Annotated[str, Path(pattern=schemas.SHA256)]
Word = Annotated[str, Query(pattern="^[a-z0-9_-]{0,60}$")]
After = Annotated[str, Query(max_length=200, description="de la página anterior / of the last")]
States = Annotated[
    Literal["", "received", "review", "department", "answered", "closed", "merged"],
    Query(description="vacío / empty: por atender / to be handled"),
]
Change = Callable[[Desk, str, Person, Any, datetime], Case]

_ACTIONS: dict[str, tuple[type[BaseModel], dict[str, Any], str, Change]] = {
    "take": (
        schemas.Take, {"version": 2}, "Tomar un caso / take a case",
        lambda desk, case, who, sent, now: desk.take(case, who, sent.version, now),
    ),
    "correct": (
        schemas.Correction, {"version": 2, "label": "animales", "reason": "Es sobre un perro."},
        "Decir de qué trata / say what it is about",
        lambda desk, case, who, sent, now: desk.correct(
            case, who, sent.version, sent.label, sent.reason, now
        ),
    ),
    "transfer": (
        schemas.Transfer, {"version": 2, "department": "sanidad", "reason": "Es de esa área."},
        "Pasar a otra área / hand to another department",
        lambda desk, case, who, sent, now: desk.transfer(
            case, who, sent.version, sent.department, sent.reason, now
        ),
    ),
    "answer": (
        schemas.Reply, {"version": 2, "text": "Se recogerá el jueves."}, "Responder / answer",
        lambda desk, case, who, sent, now: desk.answer(
            case, who, sent.version, sent.text, sent.prepared, now
        ),
    ),
    "close": (
        schemas.WithReason, {"version": 2, "reason": "No es de este municipio."}, "Cerrar / close",
        lambda desk, case, who, sent, now: desk.close(case, who, sent.version, sent.reason, now),
    ),
    "reopen": (
        schemas.WithReason, {"version": 2, "reason": "Faltó una parte."},
        "Abrir de nuevo / open again",
        lambda desk, case, who, sent, now: desk.reopen(case, who, sent.version, sent.reason, now),
    ),
    "merge": (
        schemas.Merge, {"version": 2, "into": "0" * 32},
        "Juntar con el primero del mismo asunto / join with the first on this matter",
        lambda desk, case, who, sent, now: desk.merge(case, who, sent.version, sent.into, now),
    ),
}  # fmt: skip
"""By action: body, example, what it does in words, and what does it."""


def add(api: APIRouter, rules: Rules) -> None:
    """Add the clerks' addresses, below …/review."""
    _queue(api)
    _case(api)
    _original(api)
    _attachment(api)
    for name in _ACTIONS:
        _action(api, name)


def _queue(api: APIRouter) -> None:
    @api.get(
        "/review",
        response_model=schemas.QueuePage,
        summary="La cola, lo más urgente primero / the queue, the most urgent first",
    )
    async def review(
        request: Request, state: States = "", priority: Word = "", label: Word = "",
        language: Word = "", department: Word = "", overdue: bool | None = None,
        mine: bool = False, after: After = "",
    ) -> Response:  # fmt: skip
        service, now = service_of(request), datetime.now(UTC)
        wanted = Filter(
            (state,) if state else OPEN, priority, label, language, department, overdue
        )
        who = service.person(request.state.caller)
        read = partial(_page, service, who, wanted, mine, now, after)
        page = await in_thread(read)
        return page if isinstance(page, Problem) else kept_nowhere(views.page(page, now))


def _page(
    service: CaseService, who: Person, wanted: Filter, mine: bool, now: datetime, after: str
) -> queue.Page:
    if mine:
        wanted = replace(wanted, mine=pseudonyms.pseudonym(service.settings, who.account, now))
    url = service.settings.platform_db
    return queue.page(url, service.use_case, who, wanted, now, after, queue.PAGE)


def _case(api: APIRouter) -> None:
    @api.get(
        "/review/{case}",
        response_model=schemas.WholeCaseView,
        responses=NOT_FOUND,
        summary="Un caso con su historia / a case with its history",
    )
    async def review_case(request: Request, case: CaseId) -> Response:
        service = service_of(request)
        who = service.person(request.state.caller)
        one = await in_thread(partial(service.reader.whole, case, who))
        if isinstance(one, Problem):
            return one
        return kept_nowhere(views.whole(one, datetime.now(UTC)))


def _original(api: APIRouter) -> None:
    @api.post(
        "/review/{case}/original",
        response_model=schemas.OriginalView,
        responses=NOT_FOUND,
        openapi_extra=body(schemas.Purpose, {"reason": "Falta la dirección."}),
        summary="Leer el texto como llegó; queda registrado / read the text as it came; recorded",
    )
    async def original(request: Request, case: CaseId) -> Response:
        sent = await requests.question(request, schemas.Purpose)
        if isinstance(sent, Problem):
            return sent
        service, now = service_of(request), datetime.now(UTC)
        who = service.person(request.state.caller)
        text = await in_thread(partial(service.reader.original, case, who, sent.reason, now))
        return text if isinstance(text, Problem) else kept_nowhere(text)


def _attachment(api: APIRouter) -> None:
    @api.get(
        "/review/{case}/attachments/{sha256}",
        response_class=Response,
        responses={
            **NOT_FOUND,
            200: {"description": "bytes", "headers": FILE_HEADERS,
                  "content": {"application/octet-stream": {"schema": {"type": "string"}}}},
        },
        summary="Un adjunto, como bytes; queda registrado / an attachment, as bytes; recorded",
    )  # fmt: skip
    async def attachment(request: Request, case: CaseId, sha256: Hash) -> Response:
        service, now = service_of(request), datetime.now(UTC)
        who = service.person(request.state.caller)
        got = await in_thread(partial(service.reader.attachment, case, sha256, who, now))
        if isinstance(got, Problem):
            return got
        # Neither the sender's name nor its media type: a browser would show what it is told.
        name = f'attachment; filename="{sha256[:16]}.bin"'
        headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
        return Response(got[1], media_type="application/octet-stream", headers=headers)


def _action(api: APIRouter, name: str) -> None:
    kind, example, summary, change = _ACTIONS[name]

    async def act(request: Request, case: CaseId) -> Response:
        sent = await requests.question(request, kind)
        if isinstance(sent, Problem):
            return sent
        service, now = service_of(request), datetime.now(UTC)
        who = service.person(request.state.caller)
        one = await in_thread(partial(change, service.desk, case, who, sent, now))
        return one if isinstance(one, Problem) else kept_nowhere(views.line(one, now))

    act.__name__ = name
    api.post(
        f"/review/{{case}}/{name}",
        response_model=schemas.CaseLine,
        responses=NOT_FOUND | CONFLICT,
        openapi_extra=body(kind, example),
        summary=summary,
    )(act)
