"""What the description says of every address: statuses, media types, headers, where it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from yupana.core import spec, usecase
from yupana.serving import kind
from yupana.serving.application import application
from yupana.serving.http.refusal import _CODES
from yupana.tasks.forecast import usecases
from yupana.tasks.forecast.serving import question

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


@pytest.mark.parametrize(
    "change",
    [
        {"recent_cases": True}, {"recent_cases": "2"}, {"recent_cases": [True]},
        {"recent_cases": ["5"]}, {"recent_cases": [5.5]}, {"climate": {"temperature": False}},
        {"climate": {"precipitation": "1"}},
    ],
)  # fmt: skip
def test_what_is_described_as_a_number_is_one(change: dict[str, Any]) -> None:
    simulation = question.questions(usecases.load("outbreak")).simulation
    good = {"ubigeo": "160101", "recent_cases": [5, 9.0], "climate": {"temperature": 1}}
    assert simulation.model_validate_json(json.dumps(good))
    with pytest.raises(ValidationError):
        simulation.model_validate_json(json.dumps({"ubigeo": "160101", **change}))
