"""Addresses that are to end: what their answers and their description say of it.

`Deprecation` (RFC 9745) says since when an address should not be built upon, `Sunset` (RFC 8594)
the moment after which it may be gone, `Link` (RFC 8288, RFC 5829) what takes its place. The policy
is in docs/api/versions.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from typing import Any, TypeVar

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from yupana.core.errors import UsageError

LEAST_DAYS = 365
"""Days that an address lives on after it was deprecated."""

_MARK = "deprecation"
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


@dataclass(frozen=True)
class Deprecation:
    """From when an address is deprecated, from when it may be gone (both UTC), and what takes its
    place (an address).

    Raises:
        UsageError: it would end sooner than agencies were promised.
    """

    since: date
    sunset: date
    successor: str

    def __post_init__(self) -> None:
        if (days := (self.sunset - self.since).days) < LEAST_DAYS:
            raise UsageError(
                f"An address may not end {days} days after it was deprecated.",
                where=f"sunset={self.sunset}",
                fix=f"Give agencies {LEAST_DAYS} days or more: docs/api/versions.md.",
            )

    def headers(self) -> dict[str, str]:
        """What each answer carries."""
        return {
            "Deprecation": f"@{int(_begin(self.since).timestamp())}",
            "Sunset": format_datetime(_begin(self.sunset), usegmt=True),
            "Link": f'<{self.successor}>; rel="successor-version"',
        }


def deprecated(deprecation: Deprecation) -> Callable[[Endpoint], Endpoint]:
    """Mark an endpoint, below the decorator of its route.

    Example:
        @api.get("/v1/thing")
        @deprecated(Deprecation(date(2027, 1, 1), date(2028, 1, 1), "/v2/thing"))
        async def thing(request: Request) -> Response: ...
    """

    def mark(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _MARK, deprecation)
        return endpoint

    return mark


def apply(routes: Iterable[BaseRoute]) -> None:
    """Let the routes of marked endpoints say so; others cost nothing."""
    for route in routes:
        if not isinstance(route, APIRoute):
            continue
        deprecation: Deprecation | None = getattr(route.endpoint, _MARK, None)
        if deprecation:
            route.deprecated = True
            route.openapi_extra = {
                **(route.openapi_extra or {}), "x-sunset": deprecation.sunset.isoformat()
            }  # fmt: skip
            route.app = _with_headers(route.app, deprecation.headers())


def _with_headers(app: ASGIApp, headers: dict[str, str]) -> ASGIApp:
    more = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        await app(scope, receive, add)

    return answer


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
