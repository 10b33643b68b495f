"""All layers of a service before its model, for tests that attack them."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from door import Answer, Door
from fastapi import FastAPI
from local_issuer import LocalIssuer
from starlette.responses import JSONResponse

from yupana.config.settings import ROOT, Settings
from yupana.core import spec
from yupana.identity import api_keys, oidc
from yupana.identity.api_keys import Terms
from yupana.serving import kind
from yupana.serving.application import application
from yupana.serving.http.access_log import AccessLog
from yupana.serving.http.bounds import WholeBody
from yupana.serving.http.guard import Guard
from yupana.serving.http.refusal import PROBLEM, OneShape

FIELDS = {"type", "title", "status", "where", "fix", "request_id"}
INSIDE = re.compile(rb"Traceback|File \"|\.py\b|site-packages|sqlalchemy|pydantic|0x[0-9a-f]{6}")


def outbreak_application() -> FastAPI:
    """The application of the service, without what answers."""
    about = spec.load("outbreak")
    return application(about, kind.load(about.task))


class Repeating:
    """In place of the models: repeats the question."""

    async def forecast(self, question: Any, *_: Any, form: str) -> JSONResponse:
        return JSONResponse({"asked": question.entities})


class House:
    """All layers of a service before its model, with its database and its log."""

    def __init__(self, home: Path, issuer: LocalIssuer) -> None:
        self.home, self.log = home, home / "log"
        given_ = Settings(home=home, oidc_issuer=issuer.url)
        self.url, self.token = given_.platform_db, issuer.token()
        self.lines = AccessLog(os.open(self.log, os.O_WRONLY | os.O_CREAT))
        app = outbreak_application()
        app.state.predictions = Repeating()
        layers = WholeBody(OneShape(app, app.state.how_to_ask))
        self.door = Door(self.url, oidc.configured(given_), layers)
        self.door.entry = Guard(self.door.access, self.lines, behind_tls=True)
        self.key = self.make()

    def make(self, **terms: Any) -> str:
        wide = {"quota": "none", "rate": "none", "scopes": ("outbreak:forecast",), **terms}
        return api_keys.create(self.url, Terms("A", **wide), now=datetime.now(UTC), by="test")

    def kept(self) -> bytes:
        """Every byte that was written: the database with its journal, and the log."""
        self.door.access.writer.flush()
        self.lines.close()
        return b"".join(path.read_bytes() for path in self.home.iterdir() if path.is_file())


def sound(answer: Answer) -> None:
    """An answer that says nothing of the inside and, when it refuses, in the one shape."""
    assert answer.status < 500, answer.body
    content = answer.body + json.dumps(answer.headers).encode()
    assert not INSIDE.search(content) and str(ROOT).encode() not in content, answer.body
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"
    if answer.status >= 400:
        assert answer.headers["content-type"] == PROBLEM
        assert set(answer.json()) == FIELDS and answer.json()["status"] == answer.status
