"""Access to a service: the key or token, its scope, its limits; who asked, and how long it took.

A pure ASGI middleware, so that a request with a good key costs some microseconds here.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from functools import partial

import anyio.to_thread
import sqlalchemy as sa
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.http import barred, metrics
from serving.http.refusal import Problem
from serving.http.together import Together
from yupana.governance import oidc, quotas, roles
from yupana.governance.keyring import FRESH_SECONDS, Grant, Keyring
from yupana.governance.usage import Caller, Request, Writer

OPEN = frozenset(
    {
        "/", "/docs.json", "/openapi.json", "/schema.json",
        "/livez", "/readyz", "/healthz", "/metrics",
    }
)  # fmt: skip
OPEN_FOLDERS = ("/static_content/", "/assets/")
STALE_SECONDS = 10.0
"""How long keys are trusted when the database is away: a revocation could not be seen."""


class StaleKeysError(Exception):
    """The database, or the issuer, was away so long that the key or token cannot be judged."""


class Access:
    """ASGI middleware; the service finds a `Caller` in `request.state.caller`.

    Args:
        url: the platform database.
        require_keys: False lets everyone in, without limits, as an agency without a name.
        issuer: whose bearer tokens are good as well.
    """

    def __init__(
        self, app: ASGIApp, url: str, require_keys: bool, issuer: oidc.Issuer | None = None
    ) -> None:
        self.app, self.url, self.require_keys = app, url, require_keys
        self.keyring, self.counter, self.issuer = Keyring(url), quotas.Counter(url), issuer
        # A thread each, however many wait: a flood of bad keys takes none from those who answer.
        self.key_reading = Together[None](lambda _: self.keyring.refresh())
        self.leasing = Together(self.counter.fetch)
        self.issuer_reading: asyncio.Task[None] | None = None
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
        refused: Problem | None = None
        extra: dict[str, str] = {}
        if self.require_keys:
            try:
                caller, refused, extra = await self._admit(scope, asked, now)
            except (sa.exc.SQLAlchemyError, StaleKeysError):
                refused = barred.away()
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
    ) -> tuple[Caller, Problem | None, dict[str, str]]:
        """Who asks; the refusal, if any; and the headers that tell the standing."""
        given = set(_presented(scope["headers"]))
        grant, reason = None, "two" if given else "none"
        if len(given) == 1:
            grant, reason = await self._check(given.pop(), now)
        if reason or grant is None:
            # What unknown callers ask for is their text: it stays out of the log.
            known = (grant.id, grant.agency) if grant else ("", "")
            self._note(reason, *known, asked if grant else "")
            return Caller(), barred.unauthorised(reason), {}
        caller = Caller(grant.id, grant.agency, grant.role)
        if not roles.opens(grant.role, grant.scopes, asked):
            self._note("scope", grant.id, grant.agency, asked)
            return caller, barred.forbidden(grant, asked), {}
        allowed, standing = await self._spend(grant, now)
        return caller, None if allowed else barred.too_many(standing), quotas.headers(standing)

    def _note(self, reason: str, key_id: str, agency: str, asked: str) -> None:
        self.writer.refused(reason, key_id, agency, asked)
        metrics.KEYS_REFUSED.labels(reason).inc()

    async def _check(self, presented: str, now: float) -> tuple[Grant | None, str]:
        if self.keyring.age() > FRESH_SECONDS:
            await self._refresh()
        # A key has no dot; a signed token has two.
        if self.issuer and presented.count(".") == 2:
            return await self._check_token(self.issuer, presented)
        found = self.keyring.check(presented, now)
        if found[1]:
            # It may be a second old. All that fail come here, for whatever reason.
            await self._refresh()
            found = self.keyring.check(presented, now)
        return found

    async def _check_token(self, issuer: oidc.Issuer, token: str) -> tuple[Grant | None, str]:
        found, reason = issuer.check(token)
        lost = reason == "kid" or issuer.age() > oidc.TRUST_SECONDS
        under_way = self.issuer_reading and not self.issuer_reading.done()
        if issuer.due(unknown=lost) and not under_way:
            self.issuer_reading = asyncio.create_task(asyncio.to_thread(issuer.refresh))
        # Who has a good token does not wait for keys that are only a little old.
        if lost and self.issuer_reading:
            await asyncio.shield(self.issuer_reading)
            found, reason = issuer.check(token)
        if issuer.age() > oidc.TRUST_SECONDS or (reason == "kid" and issuer.away()):
            raise StaleKeysError
        if found is None:
            return None, reason
        ended = self.keyring.ended(found.grant.id, found.issued, oidc.LEEWAY_SECONDS)
        return found.grant, "revoked" if ended else reason

    async def _refresh(self) -> None:
        with suppress(sa.exc.SQLAlchemyError):
            await self.key_reading.do(None)
        if self.keyring.age() > STALE_SECONDS:
            raise StaleKeysError

    async def _spend(self, grant: Grant, now: float) -> tuple[bool, list[quotas.Standing]]:
        # One at a time for each key: what is fetched must not be spent by another first.
        async with self.locks[grant.id]:
            if lacking := self.counter.lacking(grant.id, grant.policies, now):
                await self.leasing.do((grant.id, lacking, now))
            return self.counter.spend(grant.id, grant.policies, now)


def _presented(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[str]:
    """The keys and tokens that a request carries; an Authorization of another scheme is none."""
    for name, value in headers:
        if name == b"x-api-key":
            yield value.decode("latin-1").strip()
        elif name == b"authorization":
            scheme, _, token = value.decode("latin-1").partition(" ")
            if scheme.lower() == "bearer":
                yield token.strip()
