"""What the description says of every address: statuses, media types, headers, where it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from yupana.core import spec, usecase
from yupana.serving import kind
from yupana.serving.application import application
from yupana.serving.http.refusal import _CODES

ELSEWHERE = {404, 405, 409, 422}
"""Of some addresses, of no address that is described, or said in another way."""


def operations(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    about = spec.load(name)
    page = application(about, kind.load(about.task)).openapi()
    for path in page["paths"].values():
        yield from path.items()


@pytest.mark.parametrize("name", usecase.names())
def test_every_status_that_the_layers_send_is_described_and_no_other(name: str) -> None:
    for method, operation in operations(name):
        statuses = {int(status) for status in operation["responses"]}
        reads = method == "get"
        assert statuses >= set(_CODES) - ELSEWHERE - ({415} if reads else set()) | {500}
        assert (304 in statuses, 415 in statuses, 422 in statuses) == (reads, not reads, False)
        for status, response in operation["responses"].items():
            content = set(response.get("content", ()))
            assert int(status) < 400 or content == {"application/problem+json"}, status


@pytest.mark.parametrize("name", usecase.names())
def test_the_headers_of_each_answer_are_described(name: str) -> None:
    for method, operation in operations(name):
        of = {status: set(r["headers"]) for status, r in operation["responses"].items()}
        assert all("X-Request-ID" in headers for headers in of.values())
        assert "WWW-Authenticate" in of["401"] and "RateLimit" not in of["401"]
        assert {"Retry-After", "RateLimit"} <= of["429"] and "Retry-After" in of["503"]
        good = next(headers for status, headers in of.items() if status < "300")
        assert ("ETag" in good, "RateLimit" in good) == (method == "get", True)


def test_files_are_described_where_they_are_given() -> None:
    of = {op["operationId"]: op["responses"].get("200", {}) for _, op in operations("outbreak")}
    assert set(of["forecast"]["content"]) == {"application/json", "text/csv"}
    geo = "application/geo+json"
    assert set(of["alerts"]["content"]) == {"application/json", geo, "text/csv"}
    assert all("Content-Disposition" in of[name]["headers"] for name in ("forecast", "alerts"))
