"""What callers may do to a connection, before a real BentoML worker: each thing has an end."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from small_server import Running, connections, memory, raw, served
from waiting import wait_until

from yupana.serving.http.protocol import MOST_CONNECTIONS, MOST_PIPELINED


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with served(tmp_path_factory.mktemp("connections")) as running:
        yield running


def test_large_bodies_are_refused_before_they_are_read(service: Running) -> None:
    url = f"{service.url}/v1/small/a"
    assert httpx.post(url, content=b"x" * 65536).json()["bytes"] == 65536
    assert httpx.post(url, content=iter([b"x" * 30000] * 2)).json()["bytes"] == 60000
    started = time.monotonic()
    head = b"POST /v1/small/a HTTP/1.1\r\nHost: a\r\n"
    answer = raw(service.port, head + b"Content-Length: 10000000\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413") and b"connection: close" in answer
    assert time.monotonic() - started < 0.9
    chunks = [b"8000\r\n" + b"x" * 0x8000 + b"\r\n"] * 3
    answer = raw(service.port, head + b"Transfer-Encoding: chunked\r\n\r\n", *chunks)
    assert answer.startswith(b"HTTP/1.1 413")


def test_a_body_that_does_not_come_is_not_waited_for(service: Running) -> None:
    head = b"POST /v1/small/a HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n"
    for pieces in ([b"x"], [b"x"] * 3):
        started = time.monotonic()
        answer = raw(service.port, head, *pieces, pause=0.2)
        assert answer.startswith(b"HTTP/1.1 408") and b"slow_request" in answer
        assert time.monotonic() - started < 3


def test_a_caller_who_goes_away_leaves_a_line(service: Running) -> None:
    head = b"POST /v1/small/a HTTP/1.1\r\nHost: a\r\nX-Request-ID: gone-1\r\n"
    with socket.create_connection(("127.0.0.1", service.port)) as connection:
        connection.sendall(head + b"Content-Length: 100\r\n\r\nx")
        time.sleep(0.2)
    assert service.lines("request", "gone-1")[0]["status"] == 499


def test_headers_and_addresses_have_bounds(service: Running) -> None:
    url = f"{service.url}/v1/wait?seconds=0"
    many = {f"X-A{i}": "b" for i in range(70)}
    assert httpx.get(url, headers=many).status_code == 431
    assert httpx.get(url, headers={"X-A": "b" * 17000}).status_code == 431
    assert httpx.get(f"{url}&a={'b' * 5000}").status_code == 414


@pytest.mark.parametrize("endless", ["value", "fields", "line", "trailer"])
def test_a_connection_that_never_ends_its_headers_is_cut(service: Running, endless: str) -> None:
    start = {
        "value": b"GET /livez HTTP/1.1\r\nHost: a\r\nX-A: ",
        "fields": b"GET /livez HTTP/1.1\r\nHost: a\r\n",
        "line": b"GET /livez?a=",
        "trailer": b"POST /v1/small/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"1\r\nx\r\n0\r\n",
    }[endless]
    part = b"X-A: b\r\n" * 8192 if endless in ("fields", "trailer") else b"a" * 65536
    before = memory(service)
    sent = 0
    with socket.create_connection(("127.0.0.1", service.port), timeout=15) as connection:
        connection.sendall(start)
        try:
            for _ in range(800):
                connection.sendall(part)
                sent += len(part)
        except OSError:
            pass
    assert sent < 30e6, "it is cut long before fifty megabytes"
    assert memory(service) - before < 20e6
    assert httpx.get(f"{service.url}/livez").status_code == 200


def test_headers_that_come_slowly_are_cut(service: Running) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=15) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        began = time.monotonic()
        try:
            for _ in range(60):
                connection.sendall(b"GET /livez HTTP/1.1\r\nX-A: b"[:1])
                time.sleep(0.1)
        except OSError:
            pass
        assert time.monotonic() - began < 4, "the service's tests give a second"


def test_a_connection_that_asks_nothing_is_cut(service: Running) -> None:
    began = time.monotonic()
    assert raw(service.port) == b""
    assert time.monotonic() - began < 4, "the service's tests give a second"


def test_of_too_many_connections_the_longest_idle_make_room(service: Running) -> None:
    with ExitStack() as stack:
        lines = [
            stack.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=10))
            for _ in range(MOST_CONNECTIONS + 8)
        ]
        assert httpx.get(f"{service.url}/livez").status_code == 200
        answer = lines[0].recv(65536)
        assert answer.startswith(b"HTTP/1.1 503") and b"application/problem+json" in answer
        lines[-1].setblocking(False)
        with pytest.raises(BlockingIOError):
            lines[-1].recv(1)


def test_a_pipeline_has_an_end(service: Running) -> None:
    before = memory(service)
    answer = raw(service.port, b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n" * 5000)
    assert answer.count(b"HTTP/1.1 200") <= MOST_PIPELINED + 1
    assert memory(service) - before < 10e6
    few = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n" * MOST_PIPELINED
    last = b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    assert raw(service.port, few + last).count(b"HTTP/1.1 200") == MOST_PIPELINED + 1


WEBSOCKET = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"


@pytest.mark.parametrize(
    ("sent", "where"),
    [
        (b"\x16\x03\x01 no HTTP\r\n\r\n", "HTTP"),
        (b"GET /v1/wait HTTP/1.1\r\n\r\n", "Host"),
        (b"GET /v1/wait HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "Host"),
        (b"GET /v1/wait HTTP/1.1\r\nHost: a\r\n" + WEBSOCKET + b"\r\n", "Upgrade"),
    ],
)
def test_what_is_no_request_is_refused_as_all_else_is(
    service: Running, sent: bytes, where: str
) -> None:
    head, _, body = raw(service.port, sent).partition(b"\r\n\r\n")
    headers = httpx.Headers([line.split(b": ", 1) for line in head.splitlines()[1:]])
    assert head.startswith(b"HTTP/1.1 400") and json.loads(body)["where"] == where
    assert headers["content-type"] == "application/problem+json"
    assert len(headers["x-request-id"]) == 32
    assert headers["x-request-id"] == json.loads(body)["request_id"]
    assert headers["strict-transport-security"] and headers["x-content-type-options"] == "nosniff"
    assert service.lines("request", headers["x-request-id"])[0]["status"] == 400


def test_http_1_0_needs_no_host(service: Running) -> None:
    assert b" 200 " in raw(service.port, b"GET /livez HTTP/1.0\r\n\r\n").splitlines()[0] + b" "


def test_who_does_not_read_is_cut(service: Running) -> None:
    request = b"GET /static_content/swagger-ui-bundle.js HTTP/1.1\r\nHost: a\r\n\r\n"
    with socket.create_connection(("127.0.0.1", service.port), timeout=15) as connection:
        mine = connection.getsockname()[1]
        connection.sendall(request * MOST_PIPELINED)
        wait_until(lambda: mine in connections(service))
        wait_until(lambda: mine not in connections(service), 12)


def test_the_fields_of_a_trailer_are_no_headers(service: Running) -> None:
    reply = raw(
        service.port,
        b"POST /v1/small/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Request-Id: smuggled-1\r\n\r\n",
    )
    assert b" 200 " in reply.splitlines()[0] + b" " and b"smuggled-1" not in reply
