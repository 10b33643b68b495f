"""Deliver the notices that wait: signed, without redirects, in bounded time, each at least once."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from yupana.config.settings import Settings
from yupana.core import private_file
from yupana.core.errors import YupanaError
from yupana.core.locks import one_at_a_time
from yupana.core.progress import Progress
from yupana.identity import local_key
from yupana.webhooks import address, endpoints, outbox, signature
from yupana.webhooks.address import Network
from yupana.webhooks.outbox import Delivery

if TYPE_CHECKING:
    import httpx

SECONDS = 10.0
"""For one try, from the look-up of the name to the status of the answer, which is all that is read
of it."""

_AT_ONCE = 8
"""Tries at the same time: one receiver that is slow holds up no other."""


@dataclass(frozen=True)
class SendResult:
    """How many notices were delivered in a run, and how many are left for another."""

    delivered: int
    refused: int


def send(
    settings: Settings, now: datetime, progress: Progress, webhook: str = ""
) -> SendResult:  # fmt: skip
    """Try what is due, and keep how it went.

    Args:
        webhook: only what goes there; empty: everything.

    Raises:
        UsageError: `YUPANA_WEBHOOK_NETWORKS` has what is no network.
    """
    allowed = address.networks(settings.webhook_networks)
    with one_at_a_time(settings.lock("webhooks"), "another delivery of notices", progress):
        tries = outbox.due(settings.platform_db, now, webhook)
        errors = asyncio.run(_all(settings, tries, allowed, now)) if tries else []
        by_key = {one.key: error for one, error in zip(tries, errors, strict=True)}
        outbox.mark(settings, by_key, tries, now)
    for one, error in zip(tries, errors, strict=True):
        if error:
            progress.say(f"webhook {one.webhook}: {one.topic} waits: {error}")
    return SendResult(errors.count(""), len(errors) - errors.count(""))


async def _all(
    settings: Settings, tries: Sequence[Delivery], allowed: Sequence[Network], now: datetime
) -> list[str]:
    import httpx

    places = asyncio.Semaphore(_AT_ONCE)
    # No proxy of the environment: it would look a name up once more, and lead where it likes.
    # No connection is used twice: it was opened for one name, and another may have its address.
    # The time of each try is bounded as a whole, which httpx would bound part by part.
    client = httpx.AsyncClient(
        trust_env=False, follow_redirects=False, timeout=None,
        limits=httpx.Limits(max_keepalive_connections=0),
    )  # fmt: skip

    async def one(delivery: Delivery) -> str:
        async with places:
            return await _try(client, settings, delivery, allowed, now)

    async with client:
        return await asyncio.gather(*(one(delivery) for delivery in tries))


async def _try(
    client: httpx.AsyncClient, settings: Settings, delivery: Delivery,
    allowed: Sequence[Network], now: datetime,
) -> str:  # fmt: skip
    """Why it could not be delivered; empty when it was."""
    import httpx

    try:
        key = _key(settings, delivery.webhook)
        async with asyncio.timeout(SECONDS):
            status = await _post(client, delivery, key, allowed, int(now.timestamp()))
    except YupanaError as error:
        return error.what
    except TimeoutError:
        return "no answer in time"
    except (OSError, httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        return _reason(error)
    return "" if 200 <= status < 300 else f"it answered {status}"


def _reason(error: Exception) -> str:
    """Why there was no answer, without the error's own words: an address, or what the server said,
    may hold a secret, and this goes into a table and a log.
    """
    import httpx

    causes: list[BaseException] = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) and len(causes) < 9:
        causes.append(cause)
    for kinds, words in (
        (ssl.SSLCertVerificationError, "its certificate is not trusted, or of another name"),
        (ssl.SSLError, "no secure connection could be made"),
        (socket.gaierror, "the name of its host was not found"),
        (httpx.ConnectError, "no connection: nothing listens there, or a firewall is between"),
        (httpx.NetworkError | httpx.ProtocolError, "the connection ended without an answer"),
    ):
        if any(isinstance(one, kinds) for one in causes):
            return words
    return f"it could not be written to ({type(error).__name__})"


async def _post(
    client: httpx.AsyncClient, delivery: Delivery, key: bytes, allowed: Sequence[Network],
    moment: int,
) -> int:  # fmt: skip
    """The status of the answer; its body is not read."""
    import httpx

    host, port = address.demand(delivery.url)
    there = await address.resolve(host, port, allowed)
    data = delivery.body.encode()
    headers = {
        "Host": urlsplit(delivery.url).netloc,
        "Content-Type": "application/json",
        "User-Agent": "yupana",
        **signature.headers(key, delivery.id, data, moment),
    }
    url = httpx.URL(delivery.url).copy_with(host=there)
    # The certificate must be of the name, not of the address that is connected to.
    async with client.stream(
        "POST", url, content=data, headers=headers, extensions={"sni_hostname": host}
    ) as response:
        return response.status_code


def _key(settings: Settings, webhook: str) -> bytes:
    path = endpoints.secret_file(settings, webhook)
    if path.exists() and private_file.is_open(path):
        raise YupanaError("others may read its secret: chmod 600, or a new webhook")
    key = signature.key_of(local_key.read(path))
    if key is None:
        raise YupanaError("its secret is none: make a new webhook")
    return key
