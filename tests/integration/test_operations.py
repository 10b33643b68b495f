"""Limits, headers, log, metrics and traces, before a real BentoML worker."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from small_server import Running, served
from span_receiver import Receiver, receiving, spans_of
from waiting import wait_until

SECRET = "160199-secreto"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The service, which sends its spans to `Receiver`."""
    folder = tmp_path_factory.mktemp("operations")
    with receiving() as collector, served(folder, OTLP=collector) as running:
        yield running


def test_the_name_of_a_request_is_in_the_answer_and_the_log(service: Running) -> None:
    answer = httpx.post(
        f"{service.url}/v1/small/{SECRET}?q={SECRET}",
        content=SECRET,
        headers={"X-Request-ID": "caso-7.a_B"},
    )
    assert answer.headers["x-request-id"] == answer.json()["named"] == "caso-7.a_B"
    line = service.lines("request", "caso-7.a_B")[0]
    assert line["route"] == "/v1/small/{name}"
    assert (line["method"], line["status"], line["agency"]) == ("POST", 200, "DIRESA Loreto")
    assert (line["key_id"], line["model"]) == ("0123456789ab", "small@1")
    assert SECRET not in service.log.read_text()


@pytest.mark.parametrize("sent", ["", "x" * 65, "a b", "a\tb", "{}", "ñ".encode()])
def test_a_name_that_is_none_is_replaced(service: Running, sent: str | bytes) -> None:
    headers = [("X-Request-ID", sent)]
    answer = httpx.post(f"{service.url}/v1/small/a", headers=headers)  # type: ignore[arg-type]
    assert len(answer.headers["x-request-id"]) == 32


def test_every_answer_carries_the_headers_that_protect(service: Running) -> None:
    for path in ("/v1/wait?seconds=0", "/v1/none", "/metrics", "/", "/livez"):
        headers = httpx.get(f"{service.url}{path}").headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert "frame-ancestors 'none'" in headers["content-security-policy"], path
        assert headers["strict-transport-security"] == "max-age=31536000", path
        assert headers["referrer-policy"] == "no-referrer", path
        expected = dict.fromkeys(("/v1/wait?seconds=0", "/"), "private, no-cache")
        expected["/v1/none"] = "no-store"
        assert headers.get("cache-control", "") == expected.get(path, ""), path
        assert "server" not in headers, path
        assert "access-control-allow-origin" not in headers, path
    page = httpx.get(f"{service.url}/").headers["content-security-policy"]
    assert "script-src 'self';" in page


def test_a_browser_of_another_site_is_not_let_in(service: Running) -> None:
    headers = {"Origin": "https://otro.example", "Access-Control-Request-Method": "POST"}
    answer = httpx.options(f"{service.url}/v1/small/a", headers=headers)
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_errors_of_others_get_the_shape(service: Running) -> None:
    for method, path, status, code in [
        ("GET", "/v1/none", 404, "not_found"),
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/v1/small/a", 405, "method_not_allowed"),
        ("GET", "/v1/wait?seconds=x", 400, "invalid_request"),
        ("GET", "/v1/wait", 400, "invalid_request"),
    ]:
        answer = httpx.request(method, f"{service.url}{path}")
        body = answer.json()
        assert (answer.status_code, body["status"]) == (status, status)
        assert body["type"] == f"urn:yupana:problem:{code}"
        assert answer.headers["content-type"] == "application/problem+json"
        assert body["request_id"] == answer.headers["x-request-id"]
        assert (" / " in body["title"] and " / " in body["fix"]) or code == "invalid_request"


def test_what_breaks_is_told_to_the_operator_alone(service: Running) -> None:
    answer = httpx.post(f"{service.url}/v1/fail", content=SECRET)
    body = answer.json()
    assert (answer.status_code, body["type"]) == (500, "urn:yupana:problem:failed")
    assert "Runtime" not in answer.text and ".py" not in answer.text
    error = service.lines("error", body["request_id"])[0]
    assert error["error"] == "RuntimeError" and " fail" in error["frames"][-1]
    assert SECRET not in service.log.read_text()


def test_head_is_get_without_the_body(service: Running) -> None:
    for path in ("/v1/wait?seconds=0", "/", "/openapi.json", "/livez", "/metrics"):
        head, whole = (httpx.request(m, f"{service.url}{path}") for m in ("HEAD", "GET"))
        assert (head.status_code, head.content) == (200, b""), path
        assert head.headers.get("etag") == whole.headers.get("etag"), path
    named = {"X-Request-ID": "head-1"}
    assert httpx.head(f"{service.url}/v1/wait?seconds=0", headers=named).headers["content-length"]
    line = service.lines("request", "head-1")[0]
    assert (line["method"], line["route"]) == ("HEAD", "/v1/wait")
    assert httpx.head(f"{service.url}/v1/small/a").status_code == 405


def test_an_answer_has_a_time(service: Running) -> None:
    started = time.monotonic()
    answer = httpx.get(f"{service.url}/v1/wait?seconds=20", timeout=15)
    assert answer.status_code == 504 and answer.json()["type"].endswith("out_of_time")
    assert 3.5 < time.monotonic() - started < 8


def test_prometheus_reads_requests_by_model_agency_and_outcome(service: Running) -> None:
    httpx.post(f"{service.url}/v1/small/a")
    httpx.get(f"{service.url}/v1/inventada-{SECRET}")
    text = httpx.get(f"{service.url}/metrics").text
    counted = {
        (s.labels["model"], s.labels["agency"], s.labels["outcome"]): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
        if s.name == "yupana_request_seconds_count"
    }
    assert counted["small@1", "DIRESA Loreto", "answered"] >= 1
    assert counted["-", "-", "refused"] >= 1
    assert SECRET not in text


def test_health_and_unknown_paths_are_not_logged(service: Running) -> None:
    httpx.get(f"{service.url}/livez", headers={"X-Request-ID": "health-1"})
    httpx.get(f"{service.url}/inventada-{SECRET}")
    httpx.post(f"{service.url}/v1/small/a", headers={"X-Request-ID": "after-1"})
    assert service.lines("request", "after-1")
    assert "health-1" not in service.log.read_text()
    assert SECRET not in service.log.read_text(), "the path of an unknown caller"


def test_spans_reach_the_receiver(service: Running) -> None:
    parent = f"00-{'ab' * 16}-{'cd' * 8}-01"
    httpx.post(f"{service.url}/v1/small/{SECRET}", headers={"traceparent": parent})

    wait_until(lambda: len(spans_of("ab" * 16)) > 1)
    spans = spans_of("ab" * 16)
    assert spans
    assert {path for path, _ in Receiver.got} == {"/v1/traces"}
    whole, part = spans["POST /v1/small/{name}"], spans["forecast"]
    assert whole.parent_span_id.hex() == "cd" * 8
    assert part.parent_span_id == whole.span_id
    assert not [body for _, body in Receiver.got if SECRET.encode() in body]
