"""The addresses of cases behind the layers of a service, without a model and without a port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.responses import Response
from starlette.testclient import TestClient

from yupana.config.settings import Settings
from yupana.core import spec
from yupana.database.engine import engine
from yupana.identity import api_keys, quotas, roles
from yupana.identity.api_keys import Terms
from yupana.serving import application, parameters
from yupana.serving.http import asgi, bounds
from yupana.serving.http.access import Access
from yupana.serving.http.access_log import AccessLog
from yupana.serving.http.guard import Guard
from yupana.serving.http.refusal import OneShape
from yupana.tasks.classify.cases import routes, rule_files
from yupana.tasks.classify.cases.case import CaseText
from yupana.tasks.classify.cases.open311 import routes as open311
from yupana.tasks.classify.cases.service import CaseService
from yupana.tasks.classify.result import Classification

NAME = "complaints"
RULES = rule_files.load(NAME)
LABELS = {"basura": "limpieza_y_residuos", "bus": "movilidad_y_transporte", "perro": "animales"}
ACTIONS = {
    **{f"outbreak:{name}": may for name, may in spec.load("outbreak").actions.items()},
    f"{NAME}:submit": ("public", "agency"),
    f"{NAME}:review": ("clerk", "supervisor"),
    f"{NAME}:open311": ("public",),
}


def classify(texts: list[CaseText]) -> list[Classification]:
    """By a word of the text, as sure as can be; of others not sure."""
    return [_classified(text.text.lower()) for text in texts]


def _classified(text: str) -> Classification:
    label = next((label for word, label in LABELS.items() if word in text), "")
    if not label:
        return Classification("animales", 0.3, language="es", abstention="not_sure")
    return Classification(label, 0.9, language="es", model="model:complaints@1")


@dataclass
class Office:
    """A service of cases, and who asks it."""

    client: TestClient
    service: CaseService
    app: FastAPI

    @property
    def url(self) -> str:
        return self.service.settings.platform_db

    def key(self, agency: str, role: str = "clerk") -> dict[str, str]:
        """Headers with a fresh key of somebody."""
        terms = Terms(agency, (f"{NAME}:review",), role, quota="none", rate="none")
        key = api_keys.create(self.url, terms, now=datetime.now(UTC), by="test")
        return {"X-API-Key": key}

    def send(self, text: str, status: int = 201, **more: Any) -> dict[str, Any]:
        """What is answered to a text."""
        headers = more.pop("headers", {})
        answer = self.client.post(f"/v1/{NAME}", json={"text": text, **more}, headers=headers)
        assert answer.status_code == status, answer.text
        return dict(answer.json())

    def follow(self, got: dict[str, Any], secret: str = "") -> httpx.Response:
        """The case behind a receipt."""
        headers = {"X-Receipt-Secret": secret or got["secret"]}
        return self.client.get(f"/v1/{NAME}/{got['receipt']}", headers=headers)

    def route(self) -> int:
        """Route all that waits."""
        total = 0
        while routed := self.service.router.run_once(datetime.now(UTC)):
            total += routed
        return total

    def queue(self, key: dict[str, str], **wanted: Any) -> list[dict[str, Any]]:
        """A page of the queue."""
        answer = self.client.get(f"/v1/{NAME}/review", params=wanted, headers=key)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["cases"])

    def act(self, key: dict[str, str], case: str, what: str, **body: Any) -> httpx.Response:
        """What is answered to a clerk's action."""
        return self.client.post(f"/v1/{NAME}/review/{case}/{what}", json=body, headers=key)


@contextmanager
def office(
    settings: Settings, monkeypatch: Any, rate: str = "none", **more: Any
) -> Iterator[Office]:
    """A service of cases; `more` goes to `CaseService`."""
    monkeypatch.setattr(roles, "_actions", lambda: ACTIONS)
    for cached in (roles.scopes_of, roles.opens):
        cached.cache_clear()
    settings.home.mkdir(parents=True, exist_ok=True)
    # Its tables, before the threads want them too.
    engine(settings.platform_db)
    service = CaseService(settings, NAME, classify, rules=RULES, **more)
    app = FastAPI(redirect_slashes=False)
    app.state.cases, app.state.how_to_ask = service, routes.HOW_TO_ASK
    app.add_exception_handler(RequestValidationError, application._wrong_address)
    app.include_router(routes.router(SimpleNamespace(name=NAME), RULES))  # type: ignore[arg-type]
    app.include_router(open311.router())
    parameters.apply(app.routes)
    rest = FastAPI(openapi_url=None)
    apart = asgi.split(app, rest, Response(), ("/open311/",))
    inside = bounds.WholeBody(OneShape(apart, app.state.how_to_ask))
    access = Access(
        inside, settings.platform_db, settings.require_keys,
        public_rate=quotas.parse("rate", rate), folders={"/open311/": f"{NAME}:open311"},
    )  # fmt: skip
    guard = Guard(access, AccessLog(), False)
    with TestClient(guard, raise_server_exceptions=False) as client:
        yield Office(client, service, app)
    for cached in (roles.scopes_of, roles.opens):
        cached.cache_clear()
