"""The Python client against a real server that misbehaves on demand."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from yupana.client import AccessError, AwayError, LimitError, RefusedError, transport
from yupana.config.settings import ROOT
from yupana.tasks.forecast.client import ForecastClient

WEEK = {
    "horizon": 1,
    "week_ending": "2022-01-08",
    "median": 2.0,
    "interval_80": [0.0, 5.0],
    "quantiles": {"0.1": 0.0, "0.5": 2.0, "0.9": 5.0},
    "alert": "seguridad",
    "exceedance": 0.25,
}
PROBLEM = {
    "type": "urn:yupana:problem:key",
    "title": "La clave venció. / The key has expired.",
    "status": 401,
    "where": "Authorization",
    "fix": "Pida otra. / Ask for another.",
    "request_id": "abc123",
}


def answer(ubigeos: list[str]) -> dict[str, Any]:
    """As the service answers; districts that begin with 99 are abstained from."""
    predictions = [
        {
            "prediction_id": f"{u}{'0' * 26}",
            "ubigeo": u,
            "model": "outbreak@3",
            "data_as_of": "2022-01-01",
            "alert": None,
            "weeks": [WEEK],
            "caveats": [{"code": "pooled", "es": "conjunto", "en": "pooled"}],
            "model_card": "/v1/models/outbreak/3/card",
            "a_later_field": 1,
        }
        for u in ubigeos
        if not u.startswith("99")
    ]
    abstentions = [
        {"ubigeo": u, "code": "unknown_district", "es": "desconocido", "en": "unknown"}
        for u in ubigeos
        if u.startswith("99")
    ]
    return {"as_of": "2022-01-03", "predictions": predictions, "abstentions": abstentions}


@dataclass
class Server:
    """What it does with the next requests, first to last; then it answers well.

    A step is a status, "cut", "slow", "html", or a status with its headers.
    """

    url: str = ""
    plan: list[Any] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(transport, "FIRST_WAIT", 0.01)
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length)) if length else {}
            state.requests.append(
                {"path": self.path, "body": body, "key": self.headers.get("Authorization")}
            )
            step = state.plan.pop(0) if state.plan else 200
            status, headers = step if isinstance(step, tuple) else (step, {})
            if step == "cut":
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            if step == "slow":
                time.sleep(0.6)
                status = 200
            if step == "html":
                self._send(200, b"<html>a proxy</html>", {})
            elif status == 200:
                document = {"feedback_id": "f1"} if "feedback" in self.path else {}
                document = document or answer(body.get("ubigeo", []))
                self._send(200, json.dumps(document).encode(), {})
            else:
                self._send(status, json.dumps({**PROBLEM, "status": status}).encode(), headers)

        def do_POST(self) -> None:
            self.do_GET()

        def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            # A client that does not wait is gone by now.
            with suppress(OSError):
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
    state.url = f"http://127.0.0.1:{http.server_port}"
    yield state
    http.shutdown()
    http.server_close()


def test_an_answer_is_typed_and_later_fields_do_not_break_it(server: Server) -> None:
    with ForecastClient(server.url, "outbreak", "yup_k") as client:
        forecasts = client.forecast(["160101", "990000"], horizon=1, as_of=date(2022, 1, 3))
    (prediction,), (abstention,) = forecasts.predictions, forecasts.abstentions
    assert (prediction.entity, prediction.data_as_of, forecasts.as_of) == (
        "160101", date(2022, 1, 1), date(2022, 1, 3),
    )  # fmt: skip
    week = prediction.periods[0]
    assert week.ending == date(2022, 1, 8) and week.quantiles[0.5] == week.median == 2.0
    assert (week.interval_80, week.alert, week.exceedance) == ((0.0, 5.0), "seguridad", 0.25)
    assert prediction.caveats[0].code == "pooled" and (abstention.entity, abstention.code) == (
        "990000",
        "unknown_district",
    )
    (request,) = server.requests
    assert request["body"] == {
        "ubigeo": ["160101", "990000"], "horizon": 1, "as_of": "2022-01-03",
    }  # fmt: skip
    assert request["key"] == "Bearer yup_k"


def test_the_key_comes_from_the_environment(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YUPANA_API_KEY", "yup_env\n")
    ForecastClient(server.url, "outbreak").forecast("160101")
    assert server.requests[0]["key"] == "Bearer yup_env"


def test_many_districts_go_in_pages_and_keep_their_order(server: Server) -> None:
    ubigeos = [f"{n:06}" for n in range(160_000, 162_101)]
    forecasts = ForecastClient(server.url, "outbreak").forecast(iter(ubigeos))
    assert [len(each["body"]["ubigeo"]) for each in server.requests] == [500] * 4 + [101]
    assert [prediction.entity for prediction in forecasts.predictions] == ubigeos


@pytest.mark.parametrize("plan", [[503, 503], [502], [504], ["cut"], [(429, {"Retry-After": "0"})]])
def test_passing_trouble_is_tried_again(server: Server, plan: list[Any]) -> None:
    tries = len(plan) + 1
    server.plan = plan
    assert ForecastClient(server.url, "outbreak").forecast("160101").predictions
    assert len(server.requests) == tries


def test_a_limit_is_waited_for_as_long_as_the_service_asks(server: Server) -> None:
    server.plan = [(429, {"Retry-After": "1"})]
    began = time.monotonic()
    assert ForecastClient(server.url, "outbreak").forecast("160101").predictions
    assert 1.0 <= time.monotonic() - began < 3


def test_a_days_limit_is_told_at_once(server: Server) -> None:
    server.plan = [(429, {"Retry-After": "61"})]
    with pytest.raises(LimitError) as caught:
        ForecastClient(server.url, "outbreak").forecast("160101")
    assert caught.value.retry_after == 61 and len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, RefusedError), (401, AccessError), (403, AccessError), (404, RefusedError),
     (413, RefusedError), (500, AwayError), (302, AwayError)],
)  # fmt: skip
def test_what_is_refused_is_not_sent_again(server: Server, status: int, kind: type) -> None:
    server.plan = [status] * 3
    with pytest.raises(kind) as caught:
        ForecastClient(server.url, "outbreak").forecast("160101")
    assert caught.value.status == status and len(server.requests) == 1


def test_an_error_says_what_where_how_to_mend_it_and_which_request(server: Server) -> None:
    server.plan = [401]
    with pytest.raises(AccessError) as caught:
        ForecastClient(server.url, "outbreak").forecast("160101")
    error = caught.value
    assert (error.title, error.where, error.fix) == (
        PROBLEM["title"], "Authorization", PROBLEM["fix"],
    )  # fmt: skip
    assert (error.code, error.request_id) == ("key", "abc123") and "abc123" in str(error)


def test_trouble_that_stays_is_told_after_the_last_try(server: Server) -> None:
    server.plan = [503] * 9
    with pytest.raises(AwayError, match="venció"):
        ForecastClient(server.url, "outbreak", retries=2).forecast("160101")
    assert len(server.requests) == 3


def test_a_slow_answer_is_not_waited_for_beyond_the_timeout(server: Server) -> None:
    server.plan = ["slow"] * 2
    with pytest.raises(AwayError, match="did not arrive"):
        ForecastClient(server.url, "outbreak", timeout=0.1, retries=1).forecast("160101")
    assert len(server.requests) == 2


def test_feedback_is_not_stored_twice(server: Server) -> None:
    """A cut connection may have stored it; 503 says that nothing was."""
    server.plan = ["cut"]
    client = ForecastClient(server.url, "outbreak")
    with pytest.raises(AwayError):
        client.feedback("a/b", "observed", cases=3, week_ending=date(2022, 1, 8))
    assert len(server.requests) == 1
    server.plan = [503]
    assert client.feedback("a/b", "observed", cases=3, week_ending=date(2022, 1, 8)) == "f1"
    assert server.requests[-1]["path"] == "/v1/feedback/a%2Fb"
    assert server.requests[-1]["body"] == {
        "kind": "observed",
        "week_ending": "2022-01-08",
        "cases": 3,
    }


def test_an_answer_of_something_else_is_told(server: Server) -> None:
    server.plan = ["html"]
    with pytest.raises(AwayError, match="not that of a prediction service"):
        ForecastClient(server.url, "outbreak").forecast("160101")


def test_nobody_there_is_told() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        with pytest.raises(AwayError, match="Nothing answers"):
            ForecastClient(url, "outbreak", retries=0).forecast("160101")


def test_importing_the_client_loads_nothing_heavy() -> None:
    heavy = {"pandas", "numpy", "torch", "bentoml", "pydantic", "sqlalchemy", "fastapi", "polars"}
    code = "import json, sys, yupana.tasks.forecast.client; print(json.dumps(sorted(sys.modules)))"
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert not heavy & {name.split(".")[0] for name in json.loads(process.stdout)}
