"""Actions that need no key: who gets in, how often from one address, and what stays closed."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from yupana.core import spec
from yupana.database.engine import engine
from yupana.identity import api_keys, quotas, roles
from yupana.identity.api_keys import Terms
from yupana.serving.http import access, addresses
from yupana.serving.http.access import Access
from yupana.serving.http.addresses import Attempts, client

ACTIONS = {
    **{f"outbreak:{name}": may for name, may in spec.load("outbreak").actions.items()},
    "letters:submit": ("public", "agency"),
    "letters:review": ("clerk", "supervisor"),
    "letters:old": ("public",),
}
HOME = ipaddress.ip_network("10.0.0.0/8")


@pytest.fixture(autouse=True)
def actions(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A use case whose letters everybody may send."""
    monkeypatch.setattr(roles, "_actions", lambda: ACTIONS)
    for cached in (roles.scopes_of, roles.opens):
        cached.cache_clear()
    yield
    for cached in (roles.scopes_of, roles.opens):
        cached.cache_clear()


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/v1/letters", "letters:submit"),
        ("/v1/letters/K7QM-29XA-RT4D", "letters:submit"),
        ("/v1/letters/K7QM-29XA-RT4D/object", "letters:submit"),
        ("/v1/letters/review", "letters:review"),
        ("/v1/letters/review/0a1b/take", "letters:review"),
        ("/v1/letters/", roles.ADMINISTRATION),
        ("/v1/letters/k7qm", "letters:k7qm"),
        ("/v1/letters/K7QM/object/more", roles.ADMINISTRATION),
        ("/v1/letters/K7QM\n", roles.ADMINISTRATION),
        ("/v1/outbreak", roles.ADMINISTRATION),
        ("/v1/outbreak/K7QM-29XA-RT4D", roles.ADMINISTRATION),
        ("/v1/models", "models:read"),
        ("/v1/feedback/K7QM", "feedback:write"),
    ],
)
def test_a_bare_address_and_a_receipt_are_the_action_submit(path: str, scope: str) -> None:
    assert roles.scope_of(path) == scope


def test_nothing_is_public_but_what_a_spec_opens() -> None:
    assert roles.is_public("letters:submit")
    for target in ("letters:review", "outbreak:forecast", "platform:admin", "models:read", "*:*"):
        assert not roles.is_public(target)
    assert "public" not in roles.ROLES
    assert roles.opens("clerk", ("letters:*",), "letters:review")
    assert not roles.opens("agency", ("letters:*",), "letters:review")
    assert not roles.opens("clerk", ("*:*",), "outbreak:forecast")


def ask(app: Access, path: str, *, address: str = "1.2.3.4", **headers: str) -> tuple[int, Any]:
    """Status and headers of the answer."""
    sent: list[Mapping[str, Any]] = []
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "path": path, "headers": raw, "client": (address, 1), "method": "GET"}

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}


async def inside(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["state"]["address"].encode()})


@pytest.fixture
def url(tmp_path: Path) -> str:
    address = f"sqlite:///{tmp_path / 'platform.db'}"
    # Its tables, before the thread that counts wants them too.
    engine(address)
    return address


def made(url: str, rate: str = "3/min", **more: Any) -> Access:
    return Access(inside, url, True, public_rate=quotas.parse("rate", rate), **more)


def test_who_has_no_key_gets_in_where_none_is_needed_as_often_as_an_address_may(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access.time, "time", lambda: 1_000_000_040.0)
    app = made(url)
    answers = [ask(app, "/v1/letters") for _ in range(5)]
    assert [status for status, _ in answers] == [200, 200, 200, 429, 429]
    assert answers[0][1]["ratelimit"] == '"rate";r=2;t=40' and answers[3][1]["retry-after"] == "40"
    assert ask(app, "/v1/letters", address="1.2.3.5")[0] == 200
    for path in ("/v1/letters/review", "/v1/outbreak/forecast", "/v1/outbreak", "/nothing"):
        assert ask(app, path, address="1.2.3.6")[0] == 401, path
    monkeypatch.setattr(access.time, "time", lambda: 1_000_000_080.0)
    assert ask(app, "/v1/letters")[0] == 200, "the next minute"


def test_a_key_that_is_shown_all_the_same_counts_and_a_bad_one_is_refused(url: str) -> None:
    now = datetime.now(UTC)
    terms = Terms("A", ("outbreak:forecast",), quota="none", rate="none")
    key = api_keys.create(url, terms, now=now, by="test")
    app = made(url, "1/day")
    for _ in range(3):
        assert ask(app, "/v1/letters", x_api_key=key)[0] == 200
    assert ask(app, "/v1/letters", x_api_key="yup_junk")[0] == 401
    assert ask(app, "/v1/letters/review", x_api_key=key)[0] == 403


def test_a_folder_of_a_kind_opens_by_its_own_scope(url: str) -> None:
    app = made(url, folders={"/old/": "letters:old"})
    assert ask(app, "/old/v2/list.xml")[0] == 200
    assert ask(app, "/older")[0] == 401 and ask(made(url), "/old/v2/list.xml")[0] == 401


@pytest.mark.parametrize(
    ("address", "forwarded", "proxies", "caller"),
    [
        ("1.2.3.4", "9.9.9.9", (), "1.2.3.4"),
        ("10.0.0.1", "9.9.9.9", (HOME,), "9.9.9.9"),
        ("10.0.0.1", "6.6.6.6, 9.9.9.9", (HOME,), "9.9.9.9"),
        ("10.0.0.1", "9.9.9.9, 10.0.0.2", (HOME,), "9.9.9.9"),
        ("1.2.3.4", "9.9.9.9", (HOME,), "1.2.3.4"),
        ("10.0.0.1", "", (HOME,), "10.0.0.1"),
        ("10.0.0.1", "<script>", (HOME,), "?"),
        ("2001:db8:1:2:3::4", "", (), "2001:db8:1:2::/64"),
        ("::ffff:1.2.3.4", "", (), "1.2.3.4"),
    ],
)
def test_the_address_of_a_caller_is_no_callers_own_word(
    address: str, forwarded: str, proxies: tuple[Any, ...], caller: str
) -> None:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    assert client({"client": (address, 5), "headers": headers}, proxies) == caller


def test_a_flood_of_addresses_takes_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "MOST", 100)
    attempts = Attempts(quotas.parse("rate", "2/min"))
    for number in range(1_000):
        attempts.take(str(number), 0.0)
    assert len(attempts._counts) == 100
    assert (standing := attempts.look("999", 0.0)) and standing.rest == 1
