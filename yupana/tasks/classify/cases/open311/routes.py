"""The addresses of GeoReport v2, below /open311/v2/; errors are those of the specification."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from yupana.core.errors import TransientError, YupanaError
from yupana.serving import requests
from yupana.serving.http.refusal import OWN_ERRORS
from yupana.tasks.classify.cases import schemas
from yupana.tasks.classify.cases.intake import ConflictError, Submission
from yupana.tasks.classify.cases.open311 import formats, service_requests
from yupana.tasks.classify.cases.open311.service_requests import Wanted
from yupana.tasks.classify.cases.service import CaseService
from yupana.tasks.classify.cases.threads import service_of

FOLDER = "/open311/"
_ROOT = f"{FOLDER}v2"
_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS, _MOST_TEXT = 60, 4_000
_NAME = re.compile(schemas.CASE_ID)
_KEYS = re.compile(schemas.KEY)
Fields = Mapping[str, str]
Answer = Callable[[CaseService, Fields, str, Mapping[str, str]], Awaitable[Response]]


class WrongRequestError(Exception):
    """The request cannot be answered; `args` are the status and what is wrong."""


def router() -> APIRouter:
    """The addresses; the application's state holds `cases` once the service has started."""
    api = APIRouter()
    for path, method, answer in (
        ("services.{form}", "GET", _services), ("services/{code}.{form}", "GET", _definition),
        ("requests.{form}", "GET", _requests), ("requests.{form}", "POST", _post),
        ("requests/{name}.{form}", "GET", _request), ("tokens/{name}.{form}", "GET", _token),
        ("discovery.{form}", "GET", _discovery),
    ):  # fmt: skip
        # Plain routes of Starlette: parameters that the specification has not are let pass, as
        # clients of other servers send them, and FastAPI's errors have another form.
        api.add_route(f"{_ROOT}/{path}", _endpoint(answer), methods=[method])
    return api


def _endpoint(answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        form = request.path_params["form"]
        request.scope["state"][OWN_ERRORS] = True
        if form not in formats.FORMATS:
            return formats.error("xml", 404, "formats: xml, json")
        try:
            service, fields = service_of(request), await _fields(request)
            wanted = service.rules.routing.jurisdiction
            if wanted and fields.get("jurisdiction_id") != wanted:
                status = 404 if "jurisdiction_id" in fields else 400
                raise WrongRequestError(status, "jurisdiction_id was not found or is missing")
            return await answer(service, fields, form, request.path_params)
        except WrongRequestError as error:
            return formats.error(form, *error.args)
        except ConflictError as error:
            return formats.error(form, 409, error.what)
        except TransientError:
            return formats.error(form, 503, "nothing can be kept or read now; try again")
        except YupanaError as error:
            return formats.error(form, 400, f"{error.what} {error.fix}")

    return endpoint


async def _fields(request: Request) -> dict[str, str]:
    """The parameters of the query and of a form; one that is sent twice counts once."""
    texts = [request.scope["query_string"].decode("latin-1")]
    if request.method == "POST":
        media = request.headers.get("content-type", _FORM).partition(";")[0].strip().lower()
        if media != _FORM:
            raise WrongRequestError(400, f"send the fields as {_FORM}")
        texts.append((await requests.body_of(request)).decode("latin-1"))
    fields: dict[str, str] = {}
    for text in texts:
        try:
            pairs = parse_qsl(text, errors="strict", max_num_fields=_MOST_FIELDS)
        except ValueError as error:
            raise WrongRequestError(400, "the fields are too many, or no UTF-8") from error
        fields.update(pairs)
    if key := request.headers.get("idempotency-key"):
        fields[" key"] = key
    return fields


async def _services(
    service: CaseService, fields: Fields, form: str, path: Mapping[str, str]
) -> Response:
    values = service_requests.services(service.rules.routing)
    return formats.listing(form, "services", "service", values)


async def _definition(
    service: CaseService, fields: Fields, form: str, path: Mapping[str, str]
) -> Response:
    if path["code"] not in service.rules.routing.labels:
        raise WrongRequestError(404, "service_code was not found")
    value: dict[str, Any] = {"service_code": path["code"], "attributes": []}
    return formats.single(form, "service_definition", value)


async def _post(
    service: CaseService, fields: Fields, form: str, path: Mapping[str, str]
) -> Response:
    sender = await to_thread.run_sync(_key, service, fields.get("api_key", ""))
    sent = _submission(service, fields, sender)
    receive = partial(service.intake.receive, sent, datetime.now(UTC))
    got = await to_thread.run_sync(receive)
    notice = f"Recibo / receipt: {got.receipt}. Clave / secret: {got.secret}."
    value = {"service_request_id": got.case_id, "service_notice": notice, "account_id": None}
    return formats.listing(form, "service_requests", "request", [value], 201)


def _submission(service: CaseService, fields: Fields, sender: str) -> Submission:
    code, text = fields.get("service_code", ""), fields.get("description", "")
    if code not in service.rules.routing.labels:
        raise WrongRequestError(404 if code else 400, "service_code was not found or is missing")
    if not text or len(text) > _MOST_TEXT:
        raise WrongRequestError(400, f"description is missing or over {_MOST_TEXT} characters")
    point = {name: fields[name] for name in ("lat", "long") if fields.get(name)}
    address = fields.get("address_string", "")[:300]
    if len(point) == 1 or not (point or address):
        raise WrongRequestError(400, "give lat and long, or address_string")
    try:
        body = schemas.CaseBody.model_validate(
            {"text": text, "contact": fields.get("email", ""),
             "place": {**point, **({"address": address} if address else {})}}
        )  # fmt: skip
    except ValueError as error:
        raise WrongRequestError(400, "lat, long or email is not what it must be") from error
    key = fields.get(" key", "")
    if key and not _KEYS.fullmatch(key):
        raise WrongRequestError(400, "Idempotency-Key has 16 to 64 letters, digits, _ and -")
    return Submission(
        text, place=body.place.model_dump(exclude_defaults=True), contact=body.contact,
        channel="open311", sender=sender, request=key, body=f"{code} {body!r}".encode(),
        service=code,
    )  # fmt: skip


def _key(service: CaseService, presented: str) -> str:
    """The id of a good key.

    Raises:
        WrongRequestError: it is missing or not good.
    """
    if not service.settings.require_keys:
        return ""
    service.keyring.refresh()
    grant, reason = service.keyring.check(presented, time.time())
    if grant is None or reason:
        raise WrongRequestError(403, "api_key is missing or not valid")
    return grant.id


async def _requests(
    service: CaseService, fields: Fields, form: str, path: Mapping[str, str]
) -> Response:
    statuses = _parts(fields, "status")
    if {*statuses} - {"open", "closed"}:
        raise WrongRequestError(400, "status is open or closed")
    wanted = Wanted(
        [name for name in _parts(fields, "service_request_id") if _NAME.fullmatch(name)],
        _parts(fields, "service_code"), statuses, _day(fields, "start_date"),
        _day(fields, "end_date"),
    )  # fmt: skip
    if fields.get("service_request_id") and not wanted.ids:
        return formats.listing(form, "service_requests", "request", [])
    return formats.listing(form, "service_requests", "request", await _find(service, wanted))


async def _request(
    service: CaseService, fields: Fields, form: str, path: Mapping[str, str]
) -> Response:
    found = await _one(service, path["name"])
    return formats.listing(form, "service_requests", "request", [found])


async def _token(
    service: CaseService, fields: Fields, form: str, path: Mapping[str, str]
) -> Response:
    """A token is the id itself: each request has one at once."""
    name = (await _one(service, path["name"]))["service_request_id"]
    value = {"token": name, "service_request_id": name}
    return formats.listing(form, "service_requests", "request", [value])


async def _one(service: CaseService, name: str) -> dict[str, Any]:
    found = await _find(service, Wanted([name])) if _NAME.fullmatch(name) else []
    if not found:
        raise WrongRequestError(404, "service_request_id was not found")
    return found[0]


async def _find(service: CaseService, wanted: Wanted) -> list[dict[str, Any]]:
    find = partial(
        service_requests.find, service.settings.platform_db, service.use_case,
        service.rules.routing, wanted, datetime.now(UTC),
    )  # fmt: skip
    return await to_thread.run_sync(find)


async def _discovery(
    service: CaseService, fields: Fields, form: str, path: Mapping[str, str]
) -> Response:
    root = service.settings.public_url.rstrip("/")
    endpoint = {
        "specification": "http://wiki.open311.org/GeoReport_v2", "url": f"{root}{_ROOT}",
        "changeset": f"v{service.rules.routing.version}", "type": "production",
        "formats": ["text/xml", "application/json"],
    }  # fmt: skip
    value = {
        "changeset": f"v{service.rules.routing.version}", "contact": "",
        "key_service": "yupana keys create", "endpoints": [endpoint],
    }  # fmt: skip
    return formats.single(form, "discovery", value)


def _parts(fields: Fields, name: str) -> list[str]:
    return [part.strip() for part in fields.get(name, "").split(",") if part.strip()][:200]


def _day(fields: Fields, name: str) -> datetime | None:
    if not (text := fields.get(name, "")):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise WrongRequestError(400, f"{name} is no ISO 8601: 2026-01-31T00:00:00Z") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
