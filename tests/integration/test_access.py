"""The key check over HTTP, before a real server: who gets in, who does not, and what is told."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from access_app import serving

from yupana.identity import activity, api_keys
from yupana.identity.api_keys import Terms
from yupana.predictions.usage_report import EntityUsage, report

FORECAST = "/v1/outbreak/forecast"
PROBLEM = {"type", "title", "status", "where", "fix", "request_id"}


def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make(url: str, *, agency: str = "DIRESA Loreto", **terms: Any) -> str:
    given = {"scopes": ("outbreak:forecast",), "quota": "none", "rate": "none", **terms}
    return api_keys.create(url, Terms(agency, **given), now=datetime.now(UTC), by="test")


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('access') / 'platform.db'}"


@pytest.fixture(scope="module")
def clients(url: str) -> Iterator[list[httpx.Client]]:
    """Two servers on one database, as two workers are."""
    with ExitStack() as stack:
        bases = [stack.enter_context(serving(url, port())) for _ in range(2)]
        yield [stack.enter_context(httpx.Client(base_url=base)) for base in bases]


@pytest.fixture
def client(clients: list[httpx.Client]) -> httpx.Client:
    return clients[0]


def test_a_good_key_gets_in_by_either_header_and_at_once(url: str, client: httpx.Client) -> None:
    key = make(url)
    for headers in (bearer(key), {"X-API-Key": key}, {**bearer(key), "X-API-Key": key}):
        answer = client.post(FORECAST, headers=headers)
        assert (answer.status_code, answer.json()["agency"]) == (200, "DIRESA Loreto")
    basic = {"Authorization": "Basic eDp5", "X-API-Key": key}
    assert client.post(FORECAST, headers=basic).status_code == 200


def test_every_refusal_has_the_shape_and_tells_nothing(url: str, client: httpx.Client) -> None:
    key, other = make(url), make(url)
    late = make(url, expires=timedelta(microseconds=1))
    ended = make(url)
    api_keys.revoke(url, ended.split("_")[1], now=datetime.now(UTC), by="test")
    wrong, unknown = f"{key[:-8]}00000000", f"yup_{'0' * 12}_{'0' * 64}"
    cases = [
        ({}, FORECAST, 401, "Falta"),
        (bearer(wrong), FORECAST, 401, "no es válida"),
        (bearer(unknown), FORECAST, 401, "no es válida"),
        (bearer(f"{key}\xff"), FORECAST, 401, "no es válida"),
        (bearer("x" * 5000), FORECAST, 401, "no es válida"),
        (bearer(late), FORECAST, 401, "venció"),
        (bearer(ended), FORECAST, 401, "revocada"),
        ({**bearer(key), "X-API-Key": other}, FORECAST, 401, "más de una"),
        (bearer(key), "/v1/outbreak/simulate", 403, "outbreak:simulate"),
        (bearer(key), "/v1/cholera/forecast", 403, "cholera:forecast"),
        (bearer(key), "/nothing", 403, "platform:admin"),
        (bearer(key), "/static_content", 403, "platform:admin"),
    ]
    bodies = []
    for headers, path, status, says in cases:
        raw = {k: v.encode("latin-1") for k, v in headers.items()}
        answer = client.post(path, headers=raw)
        body = answer.json()
        assert (answer.status_code, set(body)) == (status, PROBLEM), path
        assert answer.headers["content-type"] == "application/problem+json"
        assert says in body["title"] and " / " in body["title"]
        assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="yupana"')
        for secret in headers.values():
            assert secret.split("_")[-1] not in answer.text
        bodies.append(answer.text)
    assert bodies[1] == bodies[2], "a key that exists and one that does not are told alike"


@pytest.mark.parametrize("path", ["/", "/livez", "/readyz", "/metrics", "/openapi.json"])
def test_health_metrics_and_the_page_need_no_key(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 200


def test_a_revocation_and_a_rotation_reach_a_running_service(
    url: str, clients: list[httpx.Client]
) -> None:
    key = make(url)
    name = key.split("_")[1]
    assert [c.post(FORECAST, headers=bearer(key)).status_code for c in clients] == [200, 200]
    new = api_keys.rotate(url, name, grace=timedelta(hours=1), now=datetime.now(UTC), by="test")
    for presented in (key, new):
        assert [c.post(FORECAST, headers=bearer(presented)).status_code for c in clients] == [
            200,
            200,
        ]
    api_keys.revoke(url, name, now=datetime.now(UTC), by="test")
    time.sleep(1.1)
    assert [c.post(FORECAST, headers=bearer(new)).status_code for c in clients] == [401, 401]


def test_two_workers_share_a_quota_and_the_answer_tells_it(
    url: str, clients: list[httpx.Client]
) -> None:
    key = make(url, quota="20/day", rate="1000/day")
    answers = [clients[i % 2].post(FORECAST, headers=bearer(key)) for i in range(30)]
    assert [a.status_code for a in answers] == [200] * 20 + [429] * 10
    assert answers[0].headers["RateLimit-Policy"] == '"rate";q=1000;w=86400, "quota";q=20;w=86400'
    assert answers[0].headers["RateLimit"].split(", ")[1].startswith('"quota";r=19;t=')
    last = answers[-1]
    assert '"quota";r=0;t=' in last.headers["RateLimit"]
    assert 0 < int(last.headers["Retry-After"]) <= 86400
    assert (last.json()["where"], set(last.json())) == ("quota", PROBLEM)


def test_use_is_counted_within_a_second_and_refusals_in_one_line(
    url: str, client: httpx.Client
) -> None:
    key = make(url, agency="CDC Perú")
    time.sleep(1)  # what the tests before left is written
    start = datetime.now(UTC)
    for _ in range(3):
        client.post(FORECAST, headers=bearer(key))
    assert client.post(f"{FORECAST}?fail", headers=bearer(key)).status_code == 500
    assert client.post("/v1/outbreak/alerts", headers=bearer(key)).status_code == 403
    for _ in range(20):
        client.post("/v1/secret-looking/text", headers=bearer(f"yup_{'1' * 12}_{'1' * 64}"))
    time.sleep(1)
    usage = report(url, start.date(), "CDC Perú", "outbreak")
    assert (usage.total.requests, usage.total.refused, usage.total.errors) == (5, 1, 1)
    assert usage.entities == [EntityUsage(u, 3) for u in ("160101", "160201")]
    (row,) = api_keys.listing(url, "CDC Perú")
    assert row["last_used"] >= start
    logged = [r for r in activity.listing(url, start) if r["what"] == "refused"]
    unknown = [r for r in logged if not r["key_id"]]
    assert sum(r["facts"]["times"] for r in unknown) == 20 and len(unknown) <= 3
    assert [r["facts"] for r in logged if r["key_id"]] == [
        {"reason": "scope", "scope": "outbreak:alerts", "times": 1}
    ]
    assert "secret-looking" not in json.dumps(logged, default=str)


def test_a_polite_stop_writes_what_waits(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'platform.db'}"
    key = make(url)
    with serving(url, port()) as base, httpx.Client(base_url=base) as client:
        for _ in range(50):
            client.post(FORECAST, headers=bearer(key))
    assert report(url, datetime.now(UTC).date()).total.requests == 50


def test_keys_are_switched_off_by_the_setting_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'platform.db'}"
    with serving(url, port(), require_keys=False) as base:
        answer = httpx.post(f"{base}{FORECAST}", headers=bearer("junk"))
        assert (answer.status_code, answer.json()["agency"]) == (200, "")
    assert report(url, datetime.now(UTC).date()).total.requests == 1
