"""Alerts by mail and webhook, to real servers on this machine; none is lost while they are away."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from email import message_from_string, policy
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from yupana.config.settings import Settings
from yupana.monitoring import alerts, delivery
from yupana.monitoring.check import Check
from yupana.webhooks import signature

NOW = datetime(2022, 1, 6, 12, tzinfo=UTC)
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""The key of the example at standardwebhooks.com."""
LOUD = Check(
    "frozen", "cases_lag_0", "", date(2022, 1, 1), 9.0, 4.0, "alarm", "critical",
    "La columna no cambió en cuatro semanas.", "The column stood still for four weeks.",
    "docs/runbooks.md#frozen", "frozen",
)  # fmt: skip


class Mail(socketserver.StreamRequestHandler):
    """As much of SMTP as a client needs to hand over a mail."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline().decode().strip():
            word = line.split()[0].upper()
            if word == "DATA":
                self.wfile.write(b"354 go on\r\n")
                text = ""
                while (part := self.rfile.readline().decode()) != ".\r\n":
                    text += part
                self.server.got.append(text)  # type: ignore[attr-defined]
            self.wfile.write(b"221 bye\r\n" if word == "QUIT" else b"250 ok\r\n")
            if word == "QUIT":
                return


class Hook(BaseHTTPRequestHandler):
    """Answers with the statuses that it is given, then with 204."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server: Any = self.server
        server.got.append((dict(self.headers), body))
        self.send_response(server.statuses.pop(0) if server.statuses else 204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return None


@contextmanager
def listening(server: Any) -> Iterator[Any]:
    server.got, server.statuses = [], []
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def mail() -> Iterator[Any]:
    with listening(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail)) as server:
        yield server


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(delivery, "_WAIT", 0.01)
    with listening(HTTPServer(("127.0.0.1", 0), Hook)) as server:
        yield server


def settings(tmp_path: Path, mail: Any = None, hook: Any = None) -> Settings:
    options: dict[str, Any] = {}
    if mail:
        options |= {
            "alert_smtp": f"smtp://127.0.0.1:{mail.server_address[1]}",
            "alert_to": "a@x.pe",
        }
    if hook:
        key = tmp_path / "key"
        key.write_text(f"{KEY}\n")
        port = hook if isinstance(hook, int) else hook.server_address[1]
        options |= {"alert_webhook": f"http://127.0.0.1:{port}/alerts", "alert_webhook_key": key}
    return Settings(home=tmp_path, **options)


def raise_alert(of: Settings, run: str = "r1") -> None:
    alerts.update(of, "outbreak", run, [LOUD], "ana", NOW)


def deliver(of: Settings) -> delivery.Deliveries:
    return delivery.send(of, NOW, lambda _: None)


def test_a_mail_says_in_both_languages_what_to_do(tmp_path: Path, mail: Any) -> None:
    here = settings(tmp_path, mail)
    raise_alert(here)
    assert deliver(here).delivered == {"log": 1, "mail": 1}
    assert deliver(here).delivered == {}, "once"
    mail_message = message_from_string(mail.got[0], policy=policy.default)
    assert mail_message["To"] == "a@x.pe" and "alerta nueva / new alert" in mail_message["Subject"]
    text = mail_message.get_content()
    for part in (LOUD.es, LOUD.en, LOUD.runbook, "ana", "yupana alerts ack"):
        assert part in text
    assert mail_message["Message-ID"].startswith(f"<{alerts.fingerprint('outbreak', LOUD)}")


def test_a_webhook_gets_signed_json(tmp_path: Path, hook: Any) -> None:
    here = settings(tmp_path, hook=hook)
    raise_alert(here)
    assert deliver(here).delivered["webhook"] == 1
    ((headers, body),) = hook.got
    moment, key = headers["webhook-timestamp"], base64.b64decode(KEY.removeprefix("whsec_"))
    alert = json.loads(body)
    mark = hmac.digest(key, f"{alert['id']}.{moment}.".encode() + body, hashlib.sha256)
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(mark).decode()}"
    assert int(moment) == NOW.timestamp() and headers["webhook-id"] == alert["id"]
    assert alert["severity"] == "critical"
    assert (alert["what"], alert["asks"], alert["owner"]) == ("opened", "person", "ana")


def test_the_signature_is_the_one_of_the_standards_own_example() -> None:
    key = base64.b64decode(KEY.removeprefix("whsec_"))
    headers = signature.headers(
        key, "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', 1614265330
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("key", ["a-shared-key", "whsec_short", "whsec_" + "A" * 400, "whsec_?"])
def test_a_key_that_no_library_takes_is_told_and_the_alert_waits(
    tmp_path: Path, hook: Any, key: str
) -> None:
    here = settings(tmp_path, hook=hook)
    (tmp_path / "key").write_text(key)
    raise_alert(here)
    assert "whsec_" in deliver(here).waiting["webhook"].error and not hook.got


def test_passing_trouble_is_tried_again_with_the_same_id(tmp_path: Path, hook: Any) -> None:
    here = settings(tmp_path, hook=hook)
    raise_alert(here)
    hook.statuses = [503, 503]
    assert deliver(here).delivered["webhook"] == 1
    assert len({headers["webhook-id"] for headers, _ in hook.got}) == 1 < len(hook.got)


def test_a_refusal_waits_and_is_not_hammered(tmp_path: Path, hook: Any) -> None:
    here = settings(tmp_path, hook=hook)
    raise_alert(here)
    hook.statuses = [401]
    report = deliver(here)
    assert len(hook.got) == 1
    assert report.waiting["webhook"] == delivery.Waiting(1, "the webhook answered 401")


def test_nobody_there_loses_nothing(tmp_path: Path, hook: Any) -> None:
    """Two alerts are raised while nobody listens; the next run delivers both, in their order."""
    free = HTTPServer(("127.0.0.1", 0), Hook)
    port = free.server_address[1]
    free.server_close()
    away = settings(tmp_path, hook=port)
    raise_alert(away)
    alerts.update(away, "outbreak", "r2", [], "ana", NOW)
    report = deliver(away)
    assert report.delivered == {"log": 1} and report.waiting["webhook"].messages == 1
    from dataclasses import replace

    alerts.update(away, "outbreak", "r3", [replace(LOUD, state="ok", en="well")], "ana", NOW)
    back = settings(tmp_path, hook=hook)
    assert deliver(back).delivered == {"log": 1, "webhook": 2}
    assert [json.loads(body)["what"] for _, body in hook.got] == ["opened", "resolved"]


def test_an_unsigned_webhook_is_not_used(tmp_path: Path, hook: Any) -> None:
    here = settings(tmp_path, hook=hook).model_copy(update={"alert_webhook_key": None})
    raise_alert(here)
    assert "YUPANA_ALERT_WEBHOOK_KEY" in deliver(here).waiting["webhook"].error
    assert hook.got == []


def test_a_redirect_is_not_followed(tmp_path: Path, hook: Any) -> None:
    here = settings(tmp_path, hook=hook)
    raise_alert(here)
    hook.statuses = [307]
    assert "307" in deliver(here).waiting["webhook"].error and len(hook.got) == 1


def test_the_log_has_one_line_of_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here = settings(tmp_path)
    raise_alert(here)
    deliver(here)
    (line,) = capsys.readouterr().err.splitlines()
    record = json.loads(line)
    assert (record["event"], record["level"], record["check"]) == ("alert", "error", "frozen")
