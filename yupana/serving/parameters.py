"""Parameters of an address that its description does not have are refused, as is one sent twice.

A misspelt filter that is ignored gives the answer to another question.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from urllib.parse import parse_qsl

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from yupana.serving.http.refusal import Problem, refusal


def apply(routes: Iterable[BaseRoute]) -> None:
    """Let each route refuse the parameters that its own description does not have."""
    for route in routes:
        if isinstance(route, APIRoute):
            route.app = _strict(route.app, names(route))


def names(route: APIRoute) -> tuple[str, ...]:
    """The parameters of a route's query, as OpenAPI has them."""
    fields = [f for f in route.dependant.query_params if f.field_info.include_in_schema]  # type: ignore[attr-defined]
    added = (route.openapi_extra or {}).get("parameters", ())
    return (*(f.alias for f in fields), *(p["name"] for p in added if p["in"] == "query"))


def _strict(app: ASGIApp, allowed: tuple[str, ...]) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        sent = scope["query_string"]
        await ((_wrong(sent, allowed) if sent else None) or app)(scope, receive, send)

    return answer


def _wrong(sent: bytes, allowed: tuple[str, ...]) -> Problem | None:
    """The refusal of a query with a parameter that is unknown or repeated."""
    counts = Counter(name for name, _ in parse_qsl(sent.decode("latin-1"), keep_blank_values=True))
    for name, count in counts.items():
        if name not in allowed:
            what = f"El parámetro '{name[:60]}' no existe. / There is no such parameter."
            return refusal(400, what, where=name[:60], fix=_choices(allowed))
        if count > 1:
            return refusal(
                400,
                f"El parámetro '{name}' viene {count} veces. / It is sent {count} times.",
                where=name,
                fix="Envíelo una sola vez. / Send it once.",
            )
    return None


def _choices(allowed: tuple[str, ...]) -> str:
    if not allowed:
        return "Esta dirección no tiene parámetros. / This address has no parameters."
    listed = ", ".join(allowed)
    return f"Use solo: {listed}. / Use only: {listed}."
