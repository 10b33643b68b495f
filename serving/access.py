"""Access to a service: the key, its scope, its limits; who asked, and how long it took.

A pure ASGI middleware, so that a request with a good key costs some microseconds here. It says
Spanish first what is wrong and how to mend it, and the same words for a key that does not exist
and a key with a wrong secret.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import Any

import anyio.to_thread
import sqlalchemy as sa
from anyio import CapacityLimiter
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.refusal import refusal
from yupana.governance import quotas, roles
from yupana.governance.keyring import FRESH_SECONDS, Key, Keyring
from yupana.governance.usage import Caller, Request, Writer

OPEN = frozenset({"/", "/docs.json", "/schema.json", "/livez", "/readyz", "/healthz", "/metrics"})
OPEN_FOLDERS = ("/static_content/", "/assets/")
STALE_SECONDS = 10.0
"""How long keys are trusted when the database is away: a revocation could not be seen."""
ASK = (
    "Pida una clave a quien administra la plataforma. / Ask the platform's administrator for a key."
)
_HEADER = "Authorization"
_REASONS = {
    "none": (
        "Falta la clave. / The key is missing.",
        f"Envíe 'Authorization: Bearer yup_…' o 'X-API-Key: yup_…'. / Send one of these. {ASK}",
    ),
    "two": ("Hay más de una clave. / There is more than one key.", "Envíe una. / Send one."),
    "revoked": ("La clave fue revocada. / The key was revoked.", ASK),
    "expired": ("La clave venció. / The key has expired.", ASK),
}
_NOT_VALID = (
    "La clave no es válida. / The key is not valid.",
    f"Mire que esté completa. / See that it is complete. {ASK}",
)


class StaleKeysError(Exception):
    """The database could not be asked for so long that a revocation may have been missed."""


class Access:
    """ASGI middleware; the service finds a `Caller` in `request.state.caller`.

    Args:
        url: the platform database.
        require_keys: False lets everyone in, without limits, as an agency without a name.
    """

    def __init__(self, app: ASGIApp, url: str, require_keys: bool) -> None:
        self.app, self.url, self.require_keys = app, url, require_keys
        self.keyring, self.counter = Keyring(url), quotas.Counter(url)
        # Few, so that a flood of bad keys takes no thread from those who answer.
        self.threads: Any = None
        self.locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.writer = Writer(url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, partial(self._watch_end, send))
        elif scope["type"] == "websocket":
            # No service has one: closed, so that none is open by mistake.
            await send({"type": "websocket.close", "code": 1008})
        elif scope["path"] in OPEN or scope["path"].startswith(OPEN_FOLDERS):
            await self.app(scope, receive, send)
        else:
            await self._request(scope, receive, send)

    async def _watch_end(self, send: Send, message: Message) -> None:
        if message["type"].startswith("lifespan.shutdown."):
            await anyio.to_thread.run_sync(self.writer.close)
        await send(message)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        began, now = time.perf_counter(), time.time()
        asked, caller = roles.scope_of(scope["path"]), Caller()
        refused: JSONResponse | None = None
        extra: dict[str, str] = {}
        if self.require_keys:
            try:
                caller, refused, extra = await self._admit(scope, asked, now)
            except (sa.exc.SQLAlchemyError, StaleKeysError):
                refused = _away()
        scope.setdefault("state", {})["caller"] = caller
        status = 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                more = [(k.lower().encode(), v.encode()) for k, v in extra.items()]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        try:
            await (refused or self.app)(scope, receive, watch)
        except asyncio.CancelledError:
            status = 504
            raise
        finally:
            if caller.key_id or not self.require_keys:
                caller.model = caller.model or asked.split(":")[0]
                spent = (time.perf_counter() - began) * 1000
                self.writer.add(Request(now, caller, asked, status, spent))

    async def _admit(
        self, scope: Scope, asked: str, now: float
    ) -> tuple[Caller, JSONResponse | None, dict[str, str]]:
        """Who asks; the refusal, if any; and the headers that tell the standing."""
        given = set(_presented(scope["headers"]))
        key, reason = None, "two" if given else "none"
        if len(given) == 1:
            key, reason = await self._check(given.pop(), now)
        if reason or key is None:
            # What unknown callers ask for is their text: it stays out of the log.
            known = (key.id, key.agency) if key else ("", "")
            self.writer.refused(reason, *known, asked if key else "")
            return Caller(), _unauthorised(reason), {}
        caller = Caller(key.id, key.agency, key.role)
        if not roles.opens(key.role, key.scopes, asked):
            self.writer.refused("scope", key.id, key.agency, asked)
            return caller, _forbidden(key, asked), {}
        allowed, standing = await self._spend(key, now)
        return caller, None if allowed else _too_many(standing), quotas.headers(standing)

    async def _check(self, presented: str, now: float) -> tuple[Key | None, str]:
        if self.keyring.age() > FRESH_SECONDS:
            await self._refresh()
        found = self.keyring.check(presented, now)
        if found[1]:
            # It may be a second old. All that fail come here, for whatever reason.
            await self._refresh()
            found = self.keyring.check(presented, now)
        return found

    async def _refresh(self) -> None:
        with suppress(sa.exc.SQLAlchemyError):
            await self._in_thread(self.keyring.refresh)
        if self.keyring.age() > STALE_SECONDS:
            raise StaleKeysError

    async def _spend(self, key: Key, now: float) -> tuple[bool, list[quotas.Standing]]:
        # One at a time for each key: what is fetched must not be spent by another first.
        async with self.locks[key.id]:
            if lacking := self.counter.lacking(key.id, key.policies, now):
                await self._in_thread(partial(self.counter.fetch, key.id, lacking, now))
            return self.counter.spend(key.id, key.policies, now)

    async def _in_thread(self, work: Any) -> None:
        if self.threads is None:
            self.threads = CapacityLimiter(4)
        await anyio.to_thread.run_sync(work, limiter=self.threads)


def _presented(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[str]:
    """The keys that a request carries; an Authorization of another scheme is none."""
    for name, value in headers:
        if name == b"x-api-key":
            yield value.decode("latin-1").strip()
        elif name == b"authorization":
            scheme, _, token = value.decode("latin-1").partition(" ")
            if scheme.lower() == "bearer":
                yield token.strip()


def _unauthorised(reason: str) -> JSONResponse:
    what, fix = _REASONS.get(reason, _NOT_VALID)
    told = refusal(401, what, where=_HEADER, fix=fix)
    error = "" if reason == "none" else ', error="invalid_token"'
    told.headers["WWW-Authenticate"] = f'Bearer realm="yupana"{error}'
    return told


def _forbidden(key: Key, asked: str) -> JSONResponse:
    has = ", ".join(key.scopes)
    told = refusal(
        403,
        f"La clave no abre esta dirección: requiere '{asked}'. / "
        f"The key does not open this address: it needs '{asked}'.",
        where=_HEADER,
        fix=f"Use una de / Use one of: {has} (rol / role: {key.role}). {ASK}",
    )
    told.headers["WWW-Authenticate"] = 'Bearer realm="yupana", error="insufficient_scope"'
    return told


def _too_many(standing: list[quotas.Standing]) -> JSONResponse:
    spent = max((s for s in standing if s.left == 0), key=lambda s: s.reset)
    told = refusal(
        429,
        f"Se alcanzó el límite de {spent.policy.limit} solicitudes en {spent.policy.seconds} s. / "
        f"The limit of {spent.policy.limit} requests in {spent.policy.seconds} s is reached.",
        where=spent.policy.name,
        fix=f"Intente de nuevo en {spent.reset} s; varios distritos caben en una solicitud. / "
        f"Try again in {spent.reset} s; several districts fit in one request.",
    )
    told.headers["Retry-After"] = str(spent.reset)
    return told


def _away() -> JSONResponse:
    told = refusal(
        503,
        "No se puede comprobar la clave ahora. / The key cannot be checked now.",
        where="yupana",
        fix="Intente de nuevo en unos segundos. / Try again in a few seconds.",
    )
    told.headers["Retry-After"] = "5"
    return told
