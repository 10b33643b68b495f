"""The whole service as an attacker and as a careless client meet it (OWASP API Security 2023)."""

from __future__ import annotations

import random
import re
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import openapi_checks
import pytest
from conftest import Thread

from yupana.identity import api_keys
from yupana.identity.api_keys import Terms

pytestmark = pytest.mark.thread
AS_OF = "2022-01-05"
"""Some days after the shipped sample ends."""
INSIDE = re.compile(r"Traceback|File \"|\.py\b|site-packages|sqlalchemy|pydantic|torch|sqlite")
Ask = Callable[..., httpx.Response]


@pytest.fixture
def asking(thread: Thread) -> Callable[..., Ask]:
    """A client of an agency, with a key of its own."""

    def of(agency: str, role: str = "agency", scopes: tuple[str, ...] = ("*:*",)) -> Ask:
        terms = Terms(agency, scopes, role, quota="none", rate="none")
        key = api_keys.create(thread.settings.platform_db, terms, now=datetime.now(UTC), by="test")
        client = httpx.Client(
            base_url=thread.url, timeout=60, headers={"Authorization": f"Bearer {key}"}
        )
        return client.request

    return of


def forecast(ask: Ask) -> str:
    body = {"ubigeo": "160101", "as_of": AS_OF}
    predictions = ask("POST", "/v1/outbreak/forecast", json=body).json()["predictions"]
    return str(predictions[0]["prediction_id"])


def words(answer: httpx.Response, prediction_id: str) -> dict[str, Any]:
    """What it says, less the names of the request and of what was asked for."""
    body = {k: v for k, v in answer.json().items() if k != "request_id"}
    return {k: v.replace(prediction_id, "it") if isinstance(v, str) else v for k, v in body.items()}


def test_an_agency_reads_and_judges_its_own_predictions_alone(asking: Callable[..., Ask]) -> None:
    mine, other, auditor, engineer = (
        asking("A"), asking("B"), asking("C", "auditor"), asking("D", "ml-engineer"),
    )  # fmt: skip
    made, nobody = forecast(mine), "0" * 32
    body = {"kind": "observed", "week_ending": "2022-01-08", "cases": 4}

    def both(ask: Ask, name: str) -> list[httpx.Response]:
        explained = ask("GET", f"/v1/outbreak/explain/{name}")
        return [explained, ask("POST", f"/v1/feedback/{name}", json=body)]

    assert [a.status_code for a in both(mine, made)] == [200, 201]
    assert [a.status_code for a in both(engineer, made)] == [200, 201]
    assert [a.status_code for a in both(auditor, made)] == [200, 403], "an auditor only reads"
    refused, absent = both(other, made), both(other, nobody)
    assert [a.status_code for a in refused] == [404, 404]
    for theirs, none in zip(refused, absent, strict=True):
        assert words(theirs, made) == words(none, nobody), "it does not tell that it exists"


def test_answers_hold_what_the_page_says_and_no_more(asking: Callable[..., Ask]) -> None:
    ask = asking("A")
    body = {"ubigeo": ["160101"], "as_of": AS_OF}
    answer = ask("POST", "/v1/outbreak/forecast", json=body).json()
    assert set(answer) == {"as_of", "predictions", "abstentions"}
    assert set(answer["predictions"][0]) == {
        "prediction_id", "ubigeo", "model", "data_as_of", "alert", "weeks", "caveats",
        "model_card", "notice",
    }  # fmt: skip
    explained = ask("GET", f"/v1/outbreak/explain/{answer['predictions'][0]['prediction_id']}")
    for inner in ("key_id", "agency", "features_ref", "deployment", "request_id"):
        assert inner not in explained.text, inner
    for more in ({"agency": "B"}, {"prediction_id": "0" * 32}, {"model": "outbreak@1"}):
        refused = ask("POST", "/v1/outbreak/forecast", json={**body, **more})
        assert refused.status_code == 400, more


def test_every_address_that_is_told_needs_a_key(thread: Thread) -> None:
    paths = httpx.get(f"{thread.url}/openapi.json").json()["paths"]
    assert len(paths) >= 6
    for path, methods in paths.items():
        assert path.startswith("/v1/"), path
        for method in methods:
            answer = httpx.request(method, f"{thread.url}{re.sub('{[^}]+}', '1', path)}")
            assert answer.status_code == 401, (method, path)
    for untold in ("/v1/outbreak/train", "/v2/outbreak/forecast", "/admin", "/debug", "/.env"):
        assert httpx.get(f"{thread.url}{untold}").status_code == 401, untold


def test_no_page_of_another_site_may_ask_and_no_software_is_named(thread: Thread) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for method, path in (("OPTIONS", "/v1/outbreak/forecast"), ("GET", "/livez"), ("GET", "/")):
        answer = httpx.request(method, f"{thread.url}{path}", headers=asked)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        assert not [name for name in headers if name.startswith("access-control-")], path
        assert headers["x-content-type-options"] == "nosniff" and "x-powered-by" not in headers
        assert not re.search(r"\d", headers.get("server", "")), "no version is told"


def test_a_question_has_limits(asking: Callable[..., Ask]) -> None:
    ask = asking("A")
    for body, status in (
        ({"ubigeo": ["160101"] * 2001}, 400),
        ({"ubigeo": []}, 400),
        ({"ubigeo": "160101", "horizon": 9}, 400),
        ({"ubigeo": "1" * 10_000_000}, 413),
    ):
        assert ask("POST", "/v1/outbreak/forecast", json=body).status_code == status
    address = f"/v1/outbreak/alerts?department={'1' * 5000}"
    assert ask("GET", address).status_code == 414


def test_what_is_no_http_breaks_nothing(thread: Thread) -> None:
    """Bytes that no client library sends, over bare sockets; the service answers on."""
    host, port = thread.url.removeprefix("http://").split(":")
    chance = random.Random(20260101)
    good = (
        f"POST /v1/outbreak/forecast HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer "
        f"{thread.key}\r\nContent-Length: 22\r\nConnection: close\r\n\r\n"
    ).encode() + b'{"ubigeo": ["160101"]}'
    for _ in range(200):
        request = bytearray(good)
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(request))
            request[at : at + chance.randint(0, 4)] = chance.randbytes(chance.randint(0, 4))
        with socket.create_connection((host, int(port)), timeout=10) as line:
            line.sendall(bytes(request))
            line.shutdown(socket.SHUT_WR)
            answer = b""
            while part := line.recv(65536):
                answer += part
        assert not re.match(rb"HTTP/1.1 5", answer), (bytes(request), answer)
        assert not INSIDE.search(answer.decode("latin-1")), answer
    assert httpx.get(f"{thread.url}/readyz").status_code == 200


def test_the_service_is_what_its_openapi_says(thread: Thread, tmp_path: Path) -> None:
    openapi_checks.run(thread.url, thread.key, tmp_path, 2)
