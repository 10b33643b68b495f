"""The addresses of citizens: send a text, follow it by its receipt, object."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from yupana.core.errors import YupanaError
from yupana.core.spec import Spec
from yupana.serving import requests
from yupana.serving.http.refusal import Problem, refusal
from yupana.serving.schemas import CONFLICT, NOT_FOUND, body
from yupana.tasks.classify.cases import (
    attachments,
    clerk_routes,
    receipts,
    refusals,
    schemas,
    views,
)
from yupana.tasks.classify.cases.following import Followed, UnknownReceiptError
from yupana.tasks.classify.cases.intake import File, Submission
from yupana.tasks.classify.cases.rules import Rules
from yupana.tasks.classify.cases.service import CaseService
from yupana.tasks.classify.cases.threads import in_thread, kept_nowhere, service_of

Receipt = Annotated[
    str, Path(pattern=receipts.PATTERN, description="como se recibió / as it was given")
]
SECRET_HEADER, KEY_HEADER = "X-Receipt-Secret", "Idempotency-Key"
_KEY = re.compile(schemas.KEY)
_OPEN: list[dict[str, list[str]]] = [{}, {"key": []}, {"header": []}]
"""A key may be shown, and none is needed."""

_FORM = "Envíe la forma que GET /openapi.json describe. / Send what GET /openapi.json describes."
HOW_TO_ASK = {
    "": _FORM,
    "text": "Escriba qué pasó, en 5000 caracteres. / Write what happened, in 5000 characters.",
    "receipt": "Escriba el recibo como lo recibió: XXXX-XXXX-XXXX. / Write the receipt as given.",
    "contact": "Escriba un correo, o nada. / Write an e-mail address, or nothing.",
    "attachments": "Envíe a lo más 3 archivos en base64. / Send at most 3 files in base64.",
    "version": "Envíe la versión que leyó. / Send the version that you read.",
    "case": "Envíe el id de un caso de la cola. / Send the id of a case of the queue.",
}


def router(about: Spec, rules: Rules) -> APIRouter:
    """The addresses of the cases of a use case, at and below /v1/<use case>.

    The application's state holds `cases`, a `CaseService`, once the service has started.
    """
    api = APIRouter(prefix=f"/v1/{about.name}")
    # Before the receipts: the first address that fits answers.
    clerk_routes.add(api, rules)
    _submit(api)
    _follow(api)
    _object(api)
    return api


def _submit(api: APIRouter) -> None:
    @api.post(
        "",
        status_code=201,
        response_model=schemas.ReceiptAnswer,
        responses=CONFLICT,
        openapi_extra={
            **body(schemas.CaseBody, schemas.CaseBody.model_json_schema()["examples"][0]),
            "security": _OPEN,
            "parameters": [_header(
                KEY_HEADER, schemas.KEY, "la misma en cada intento: el mismo recibo / the same at "
                "each try: the same receipt", required=False,
            )],
        },
        summary="Enviar un texto y obtener un recibo / send a text and get a receipt",
    )  # fmt: skip
    async def submit(request: Request) -> Response:
        sent = await requests.question(request, schemas.CaseBody)
        if isinstance(sent, Problem):
            return sent
        service = service_of(request)
        key = request.headers.get(KEY_HEADER, "")
        if key and not _is_key(key):
            return _no_key()
        receive = partial(_receive, service, sent, key, request.state.caller.key_id)
        got = await in_thread(receive)
        if isinstance(got, Problem):
            return got
        return kept_nowhere(views.receipt(service.settings, service.use_case, got), 201)


def _receive(service: CaseService, sent: schemas.CaseBody, key: str, sender: str) -> Any:
    files = [
        File(attachments.decoded(one.content), one.name, one.media_type)
        for one in sent.attachments
    ]
    submission = Submission(
        sent.text, sent.title, sent.place.model_dump(exclude_defaults=True), sent.language,
        sent.contact, files, sender=sender, request=key, body=sent.model_dump_json().encode(),
    )  # fmt: skip
    return service.intake.receive(submission, datetime.now(UTC))


def _follow(api: APIRouter) -> None:
    @api.get(
        "/{receipt}",
        response_model=schemas.CaseView,
        responses=NOT_FOUND,
        openapi_extra={"security": _OPEN, "parameters": [_secret()]},
        summary="En qué está lo que envié / where what I sent stands",
    )
    async def follow(request: Request, receipt: Receipt) -> Response:
        service, secret = service_of(request), request.headers.get(SECRET_HEADER, "")
        return await _with_receipt(
            request, receipt, partial(service.follower.look, receipt, secret)
        )


def _object(api: APIRouter) -> None:
    @api.post(
        "/{receipt}/object",
        response_model=schemas.CaseView,
        responses=NOT_FOUND | CONFLICT,
        openapi_extra={
            **body(schemas.Objection, schemas.Objection.model_json_schema()["examples"][0]),
            "security": _OPEN, "parameters": [_secret()],
        },
        summary="Objetar: una persona lo lee / object: a person reads it",
    )  # fmt: skip
    async def object_(request: Request, receipt: Receipt) -> Response:
        sent = await requests.question(request, schemas.Objection)
        if isinstance(sent, Problem):
            return sent
        service, secret = service_of(request), request.headers.get(SECRET_HEADER, "")
        look = partial(
            service.follower.object, receipt, secret, sent.reason, datetime.now(UTC)
        )  # fmt: skip
        return await _with_receipt(request, receipt, look)


async def _with_receipt(
    request: Request, receipt: str, look: Callable[[], Followed]
) -> Response:  # fmt: skip
    """What needs a receipt's secret; wrong ones are counted by receipt and by address, whether
    there is such a receipt or not."""
    service, now = service_of(request), datetime.now(UTC).timestamp()
    names = (f"receipt {receipt}", f"address {request.state.address}")
    for name in names:
        standing = service.guesses.look(name, now)
        if standing and standing.rest <= 0:
            return refusals.too_many(standing)
    try:
        one = await to_thread.run_sync(look)
    except UnknownReceiptError as error:
        for name in names:
            service.guesses.take(name, now)
        return refusals.of(error)
    except YupanaError as error:
        return refusals.of(error)
    return kept_nowhere(views.followed(one, service.rules.routing))


def _secret() -> dict[str, Any]:
    return _header(SECRET_HEADER, "", "la clave del recibo / the receipt's secret", required=True)


def _header(name: str, pattern: str, text: str, *, required: bool) -> dict[str, Any]:
    schema = {"type": "string", **({"pattern": pattern} if pattern else {}), "maxLength": 64}
    return {
        "name": name, "in": "header", "required": required, "description": text, "schema": schema
    }  # fmt: skip


def _is_key(key: str) -> bool:
    return _KEY.fullmatch(key) is not None


def _no_key() -> Problem:
    return refusal(
        400,
        "Idempotency-Key tiene de 16 a 64 letras, dígitos, '_' o '-'. / It has 16 to 64 letters, "
        "digits, '_' or '-'.",
        where=KEY_HEADER,
        fix="Use un UUID nuevo por texto. / Use a fresh UUID for each text.",
    )
