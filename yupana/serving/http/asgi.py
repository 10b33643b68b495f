"""The layers of a service, and which application answers which address."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template

from fastapi import FastAPI
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from yupana.config.settings import Settings
from yupana.core.spec import Spec
from yupana.identity import oidc, quotas
from yupana.serving.http import bounds, metrics
from yupana.serving.http.access import Access
from yupana.serving.http.access_log import AccessLog
from yupana.serving.http.guard import Guard
from yupana.serving.http.reads import READING, Reads
from yupana.serving.http.refusal import OneShape
from yupana.serving.requests import PlainRoute
from yupana.webhooks import address

OURS = frozenset({"/openapi.json", "/docs.json"})
OUR_FOLDER = "/v1/"


def page(about: Spec) -> Response:
    """What the service's address shows: the API of a use case, to read and to try.

    The scripts are those of Swagger UI that BentoML brings; its own page is in English and
    carries a tag manager.
    """
    template = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
    words = {"name": about.name, "es": escape(about.title.es), "en": escape(about.title.en)}
    return Response(template.substitute(words), media_type="text/html; charset=utf-8")


def layers(
    app: FastAPI, rest: ASGIApp, how_to_ask: Mapping[str, str], settings: Settings,
    first: ASGIApp, folders: Mapping[str, str] | None = None,
) -> Guard:  # fmt: skip
    """All layers of a service: guard, access, body, errors in one shape, then whose address it is.

    Args:
        app: answers our addresses.
        rest: what BentoML answers itself.
        first: the page at `/`.
        folders: by the beginning of addresses of ours that are not below /v1/, the scope that
            opens them.
    """
    ours = tuple(folders or ())
    inside = bounds.WholeBody(OneShape(split(app, rest, first, ours), how_to_ask))
    access = Access(
        inside, settings.platform_db, settings.require_keys, oidc.configured(settings),
        folders=folders, public_rate=quotas.parse("rate", settings.public_rate),
        proxies=address.networks(settings.proxies, "YUPANA_PROXIES"),
    )  # fmt: skip
    return Guard(access, AccessLog(), settings.behind_tls, (OUR_FOLDER, *ours))


def split(
    ours: FastAPI, rest: ASGIApp, first: ASGIApp, folders: tuple[str, ...] = ()
) -> ASGIApp:  # fmt: skip
    """Our addresses go to `ours`, `/` to `first`; all else, and the process's life, to `rest`.

    A plain route is called at once: the stacks before FastAPI's router, and its search, cost more
    than answering does.
    """
    our_folders = (OUR_FOLDER, *folders)
    routes = (route for route in ours.routes if isinstance(route, PlainRoute))
    reads, first_page = Reads(ours), Reads(first)
    plain = {(method, route.path): route for route in routes for method in route.methods}

    async def choose(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        if path and (route := plain.get((scope["method"], path))):
            scope["app"], scope["route"] = ours, route
            await route.app(scope, receive, send)
        elif path.startswith(our_folders) or path in OURS:
            if path == "/docs.json":
                # Where BentoML's page looks for the description.
                scope = {**scope, "path": "/openapi.json"}
            await reads(scope, receive, send)
        elif path == "/metrics":
            await metrics.application(scope, receive, send)
        elif path == "/" and scope["method"] in READING:
            await first_page(scope, receive, send)
        else:
            await rest(scope, receive, send)

    return choose
