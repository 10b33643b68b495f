"""Access to a service: the key or token, its scope, its limits; who wanted, and how long it took.

A pure ASGI middleware, so that a request with a good key costs some microseconds here.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial

import anyio.to_thread
import sqlalchemy as sa
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from yupana.identity import oidc, quotas, roles
from yupana.identity.keyring import FRESH_SECONDS, Grant, Keyring
from yupana.predictions.usage import Caller, Request, Writer
from yupana.serving.http import addresses, auth_errors, metrics
from yupana.serving.http.bounds import GoneError
from yupana.serving.http.refusal import Problem
from yupana.serving.http.single_flight import SingleFlight
from yupana.webhooks.address import Network

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
        folders: by the beginning of addresses that are not below /v1/, the scope that opens them.
        public_rate: how often an address may ask for what needs no key; None: as often as it likes.
        proxies: networks whose word on the address of a caller is believed.
    """

    def __init__(
        self, app: ASGIApp, url: str, require_keys: bool, issuer: oidc.Issuer | None = None, *,
        folders: Mapping[str, str] | None = None, public_rate: quotas.Policy | None = None,
        proxies: Sequence[Network] = (),
    ) -> None:  # fmt: skip
        self.app, self.url, self.require_keys = app, url, require_keys
        self.folders, self.proxies = folders or {}, proxies
        self.unknown = addresses.Attempts(public_rate)
        self.keyring, self.counter, self.issuer = Keyring(url), quotas.Counter(url), issuer
        # A thread each, however many wait: a flood of bad keys takes none from those who answer.
        self.key_reading = SingleFlight[None](lambda _: self.keyring.refresh())
        self.leasing = SingleFlight(self.counter.fetch)
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
            # While the database is away they are lost, as they are to a worker that is killed.
            with suppress(sa.exc.SQLAlchemyError):
                await anyio.to_thread.run_sync(self.counter.give_back)
        await send(message)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        began, now = time.perf_counter(), time.time()
        permission, caller = self._permission(scope["path"]), Caller()
        state, public = scope.setdefault("state", {}), roles.is_public(permission)
        if public:
            state["address"] = addresses.client(scope, self.proxies)
        refused: Problem | None = None
        extra: dict[str, str] = {}
        if self.require_keys:
            try:
                caller, refused, extra = await self._admit(scope, permission, now)
            except (sa.exc.SQLAlchemyError, StaleKeysError):
                refused = auth_errors.away()
        state["caller"] = caller
        counted = not self.require_keys or (public and not refused)
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
        except GoneError:
            status = 499
            raise
        finally:
            if caller.key_id or counted:
                caller.model = caller.model or permission.split(":")[0]
                spent = (time.perf_counter() - began) * 1000
                self.writer.add(Request(now, caller, permission, status, spent))

    async def _admit(
        self, scope: Scope, permission: str, now: float
    ) -> tuple[Caller, Problem | None, dict[str, str]]:
        """Who asks; the refusal, if any; and the headers that tell the standing."""
        credentials = set(_credentials(scope["headers"]))
        public = roles.is_public(permission)
        if public and not credentials:
            return self._admit_unknown(scope, now)
        grant, reason = None, "two" if credentials else "none"
        if len(credentials) == 1:
            grant, reason = await self._check(credentials.pop(), now)
        if reason or grant is None:
            # What unknown callers ask for is their text: it stays out of the log.
            holder = (grant.id, grant.agency) if grant else ("", "")
            self._note(reason, *holder, permission if grant else "")
            return Caller(), auth_errors.unauthorised(reason), {}
        caller = Caller(grant.id, grant.agency, grant.role, scopes=grant.scopes)
        if not public and not roles.opens(grant.role, grant.scopes, permission):
            self._note("scope", grant.id, grant.agency, permission)
            return caller, auth_errors.forbidden(grant, permission), {}
        allowed, standing = await self._spend(grant, now)
        return caller, None if allowed else auth_errors.too_many(standing), quotas.headers(standing)

    def _admit_unknown(
        self, scope: Scope, now: float
    ) -> tuple[Caller, Problem | None, dict[str, str]]:
        """Someone without a key, where none is needed: as often as an address may ask."""
        standing = self.unknown.take(scope["state"]["address"], now)
        if standing is None:
            return Caller(), None, {}
        shown = standing._replace(rest=max(standing.rest, 0))
        refused = auth_errors.too_many([shown]) if standing.rest < 0 else None
        return Caller(), refused, quotas.headers([shown])

    def _permission(self, path: str) -> str:
        folder = next((f for f in self.folders if path.startswith(f)), "")
        return self.folders[folder] if folder else roles.scope_of(path)

    def _note(self, reason: str, key_id: str, agency: str, permission: str) -> None:
        self.writer.refused(reason, key_id, agency, permission)
        metrics.KEYS_REFUSED.labels(reason).inc()

    async def _check(self, credential: str, now: float) -> tuple[Grant | None, str]:
        if self.keyring.age() > FRESH_SECONDS:
            await self._refresh()
        # A key has no dot; a signed token has two.
        if self.issuer and credential.count(".") == 2:
            return await self._check_token(self.issuer, credential)
        grant, reason = self.keyring.check(credential, now)
        if reason:
            # It may be a second old. All that fail come here, for whatever reason.
            await self._refresh()
            grant, reason = self.keyring.check(credential, now)
        return grant, reason

    async def _check_token(self, issuer: oidc.Issuer, token: str) -> tuple[Grant | None, str]:
        holder, reason = issuer.check(token)
        stale = reason == "kid" or issuer.age() > oidc.TRUST_SECONDS
        under_way = self.issuer_reading and not self.issuer_reading.done()
        if issuer.due(unknown=stale) and not under_way:
            self.issuer_reading = asyncio.create_task(asyncio.to_thread(issuer.refresh))
        # Who has a good token does not wait for keys that are only a little old.
        if stale and self.issuer_reading:
            await asyncio.shield(self.issuer_reading)
            holder, reason = issuer.check(token)
        if issuer.age() > oidc.TRUST_SECONDS or (reason == "kid" and issuer.away()):
            raise StaleKeysError
        if holder is None:
            return None, reason
        ended = self.keyring.ended(holder.grant.id, holder.issued, oidc.LEEWAY_SECONDS)
        return holder.grant, "revoked" if ended else reason

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


def _credentials(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[str]:
    """The keys and tokens that a request carries; an Authorization of another scheme is none."""
    for name, value in headers:
        if name == b"x-api-key":
            yield value.decode("latin-1").strip()
        elif name == b"authorization":
            scheme, _, token = value.decode("latin-1").partition(" ")
            if scheme.lower() == "bearer":
                yield token.strip()
