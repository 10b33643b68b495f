"""Notices to agencies: put aside with the step's event, signed, delivered once a receiver is there,
and never sent into the platform's own network."""

from __future__ import annotations

import json
import re
import stat
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from command import yupana as command

from yupana.config.settings import ROOT, Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.core.progress import Silent
from yupana.lineage import events, steps
from yupana.trace import audit
from yupana.webhooks import delivery, endpoints, outbox, signature
from yupana.webhooks.notice import ALERT, FORECAST, Notice
from yupana.webhooks.outbox import Delivery

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NEWS = (
    Notice("outbreak", FORECAST, {"use_case": "outbreak", "link": "/v1/outbreak/alerts"}),
    Notice("outbreak", ALERT, {"use_case": "outbreak", "rises": {"epidemia": 2}}),
)
HERE = "127.0.0.0/8"


class Receiver(BaseHTTPRequestHandler):
    """Answers with the statuses that it is given, then with 204."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server: Any = self.server
        server.requests.append((self.path, dict(self.headers), body))
        self.send_response(server.statuses.pop(0) if server.statuses else 204)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return None


@pytest.fixture
def receiver() -> Iterator[Any]:
    server: Any = HTTPServer(("127.0.0.1", 0), Receiver)
    server.requests, server.statuses = [], []
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", webhook_networks=HERE)


def url_of(receiver: Any) -> str:
    return f"http://127.0.0.1:{receiver.server_address[1]}/yupana"


def add(home: Settings, url: str, *topics: str) -> tuple[str, str]:
    home.home.mkdir(exist_ok=True)
    return endpoints.add(home, "DIRESA Loreto", url, topics or ("*",), NOW)


def tell(home: Settings) -> str:
    """A step that has news."""
    outcome = steps.Outcome((), notices=NEWS)
    return steps.run(home, "forecast", "outbreak", lambda: outcome, anew=True).event


def send(home: Settings, after: timedelta = timedelta()) -> delivery.SendResult:
    """Deliver, some time after the notices were put aside, which was now."""
    return delivery.send(home, datetime.now(UTC) + after, Silent())


def verify(body: bytes, headers: dict[str, str], secret: str, now: float) -> bool:
    """The receiver of the page, as an agency copies it."""
    page = (ROOT / "docs" / "api" / "webhooks.md").read_text("utf-8")
    (code,) = re.findall(r"<!-- receiver -->\n```python\n(.*?)^```$", page, re.S | re.M)
    program: dict[str, Any] = {}
    exec(code, program)
    lower = {name.lower(): value for name, value in headers.items()}
    checked: Callable[..., bool] = program["is_from_yupana"]
    return checked(body, lower, secret, now)


def test_a_step_s_news_arrive_signed_and_once(home: Settings, receiver: Any) -> None:
    name, secret = add(home, url_of(receiver))
    event = tell(home)
    assert send(home) == delivery.SendResult(2, 0)
    assert send(home) == delivery.SendResult(0, 0), "once"
    requests = sorted(receiver.requests, key=lambda request: request[1]["webhook-id"])
    for (path, headers, body), kind in zip(requests, (ALERT, FORECAST), strict=True):
        assert path == "/yupana" and headers["webhook-id"] == f"{event}-{kind}"
        now = float(headers["webhook-timestamp"])
        assert verify(body, headers, secret, now)
        assert not verify(body + b" ", headers, secret, now), "another body"
        assert not verify(body, headers, signature.new_secret(), now), "another sender"
        assert not verify(body, headers, secret, now + 301), "an old one, sent again"
        message = json.loads(body)
        assert message["type"] == f"outbreak.{kind}" and message["data"]["use_case"] == "outbreak"
    rows = outbox.listing(home.platform_db, name)
    assert {(row.state, row.tries, row.error) for row in rows} == {("delivered", 1, "")}
    assert audit.verify(home, Silent()).faults == []


def test_news_of_a_step_that_was_not_recorded_are_none(home: Settings, receiver: Any) -> None:
    add(home, url_of(receiver))
    with pytest.raises(TerminalError, match="subject"):
        # The ledger takes no such subject, after the notices were put aside.
        events.append(home, "forecast", "a\0b", status="done", notices=NEWS)
    assert outbox.listing(home.platform_db) == []


def test_a_webhook_gets_the_topics_that_it_wants(home: Settings, receiver: Any) -> None:
    add(home, url_of(receiver), "*.alert")
    add(home, url_of(receiver), "malaria.*")
    tell(home)
    assert [row.topic for row in outbox.listing(home.platform_db)] == ["outbreak.alert"]


def test_what_is_not_taken_is_tried_again_with_the_same_id(home: Settings, receiver: Any) -> None:
    add(home, url_of(receiver), "*.alert")
    tell(home)
    receiver.statuses = [500, 307]
    assert send(home) == delivery.SendResult(0, 1)
    assert send(home) == delivery.SendResult(0, 0), "not at once"
    assert send(home, timedelta(minutes=6)) == delivery.SendResult(0, 1)
    (row,) = outbox.listing(home.platform_db)
    assert (row.state, row.error, row.tries) == ("waiting", "it answered 307", 2)
    assert send(home, timedelta(hours=1)) == delivery.SendResult(1, 0)
    assert len({headers["webhook-id"] for _, headers, _ in receiver.requests}) == 1
    assert {path for path, *_ in receiver.requests} == {"/yupana"}, "no redirect is followed"


def test_waits_grow_by_chance_and_end_after_three_days() -> None:
    facts = dict.fromkeys(("id", "webhook", "topic", "body", "state", "error", "url"), "x")
    waits = []
    for tries in range(12):
        attempt = Delivery(**facts, created=NOW, tries=tries, due=NOW)  # type: ignore[arg-type]
        change = outbox.after(attempt, "no", NOW)
        assert change == outbox.after(attempt, "no", NOW), "the same when it is done again"
        waits.append(change["due"] - NOW)
        nominal = min(timedelta(hours=12), timedelta(minutes=5) * 2**tries)
        assert nominal / 2 <= waits[-1] <= nominal
    assert len({wait / nominal for wait in waits}) > 6
    late = outbox.after(attempt, "no", NOW + timedelta(days=3))
    assert (late["state"], late["tries"]) == ("failed", 12)


def test_a_receiver_that_is_slow_or_away_holds_up_no_other(
    home: Settings, receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "SECONDS", 2.0)
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        add(home, f"http://127.0.0.1:{silent.getsockname()[1]}/", "*.alert")
        add(home, "http://127.0.0.1:9/", "*.alert")
        add(home, url_of(receiver), "*.alert")
        tell(home)
        assert send(home) == delivery.SendResult(1, 2)
    errors = {row.error for row in outbox.listing(home.platform_db)}
    away = "no connection: nothing listens there, or a firewall is between"
    assert errors == {"", "no answer in time", away}


def test_why_there_was_no_answer_is_said_in_words(home: Settings) -> None:
    add(home, "https://no-such-host.invalid/", "*.alert")
    tell(home)
    assert send(home).refused == 1
    (row,) = outbox.listing(home.platform_db)
    assert row.error == "the name of its host was not found"


def test_a_home_that_names_no_network_writes_to_none_of_its_own(
    home: Settings, receiver: Any
) -> None:
    closed = home.model_copy(update={"webhook_networks": ""})
    add(home, url_of(receiver), "*.alert")
    tell(closed)
    assert send(closed) == delivery.SendResult(0, 1) and receiver.requests == []
    (row,) = outbox.listing(home.platform_db)
    assert row.error == "the address is not a public one"


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:9/", "https://169.254.169.254/", "https://10.0.0.1/", "https://[::1]/",
     "https://2130706433/", "https://0x7f.1/"],
)  # fmt: skip
def test_a_number_of_the_own_network_is_refused_at_once(home: Settings, url: str) -> None:
    closed = home.model_copy(update={"webhook_networks": ""})
    with pytest.raises(UsageError, match="not a public address") as caught:
        add(closed, url)
    assert "YUPANA_WEBHOOK_NETWORKS" in caught.value.fix
    assert not (home.home / "keys" / "webhooks").exists()


@pytest.mark.parametrize("topic", ["*.nothing", "nouse.alert", "alert", "outbreak.", "", "o[u]t*"])
def test_a_topic_that_no_notice_has_is_refused(home: Settings, topic: str) -> None:
    with pytest.raises(UsageError, match="No notice has the topic") as caught:
        add(home, "https://agency.example/", "*.alert", topic)
    assert "outbreak.alert" in caught.value.fix and "malaria.forecast" in caught.value.fix
    add(home, "https://agency.example/", "*", "*.forecast", "outbreak.*", "out*.alert")


def test_a_test_sends_to_its_own_webhook_alone(home: Settings, receiver: Any) -> None:
    add(home, url_of(receiver))
    name, _ = add(home, url_of(receiver))
    tell(home)
    now = datetime.now(UTC)
    outbox.put_test(home, name, now)
    assert delivery.send(home, now, Silent(), name) == delivery.SendResult(3, 0)
    waiting = outbox.listing(home.platform_db, state="waiting")
    assert len(waiting) == 2 and name not in {row.webhook for row in waiting}


def test_the_secret_is_a_file_of_its_owner_alone_and_goes_with_the_webhook(
    home: Settings, receiver: Any
) -> None:
    name, secret = add(home, url_of(receiver))
    path = endpoints.secret_file(home, name)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    tell(home)
    for file in home.home.rglob("*"):
        assert file == path or not file.is_file() or secret.encode() not in file.read_bytes(), file
    path.chmod(0o644)
    assert send(home) == delivery.SendResult(0, 2) and receiver.requests == []
    endpoints.remove(home, name, NOW)
    assert not path.exists()
    assert {row.state for row in outbox.listing(home.platform_db)} == {"cancelled"}
    tell(home)
    assert send(home, timedelta(days=1)) == delivery.SendResult(0, 0)
    with pytest.raises(UsageError, match="no webhook"):
        endpoints.remove(home, name, NOW)
    assert audit.verify(home, Silent()).faults == []


def test_the_commands_from_a_webhook_s_making_to_its_end(
    home: Settings, receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YUPANA_WEBHOOK_NETWORKS", HERE)
    words = ("webhooks", "add", "--agency", "DIRESA Loreto", "--url", url_of(receiver))
    printed = command(home, *words)
    assert signature.key_of(printed.stdout.strip()), "stdout is the secret alone"
    (hook,) = command(home, "webhooks", "list", "--json").json()
    assert hook["topics"] == ["*"] and printed.stdout.strip() not in str(hook)
    assert command(home, "webhooks", "test", hook["id"]).code == 0
    receiver.statuses = [500]
    failed = command(home, "webhooks", "test", hook["id"])
    assert failed.code == 3 and "it answered 500" in failed.stderr
    (row,) = command(home, "webhooks", "deliveries", "--state", "waiting", "--json").json()
    assert (row["topic"], row["tries"]) == (outbox.TEST, 1)
    assert command(home, "webhooks", "send", "--json").json()["status"] == "unchanged"
    assert "delivered, 1 tries" in command(home, "webhooks", "deliveries", hook["id"]).stdout
    assert command(home, "webhooks", "remove", hook["id"]).code == 0
    assert "removed" in command(home, "webhooks", "list").stdout
    assert command(home, "webhooks", "test", hook["id"]).code == 2
    assert command(home, *words, "--topic", "no topic").code == 2
