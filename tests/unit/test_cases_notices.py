"""What contacts and departments are told: put aside with the change, tried until it is taken."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from case_app import NAME, Office, office

from yupana.config.settings import Settings
from yupana.database.engine import engine
from yupana.monitoring import mail
from yupana.tasks.classify.cases import notices
from yupana.tasks.classify.cases.tables import CASE_NOTICES
from yupana.webhooks import endpoints, outbox


def turned(content: bytes) -> bytes:
    return bytes(255 - one for one in content)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, alert_smtp="smtp://127.0.0.1:9")


@pytest.fixture
def desk(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    with office(settings, monkeypatch, seal=turned, unseal=turned) as one:
        yield one


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[EmailMessage]:
    messages: list[EmailMessage] = []
    monkeypatch.setattr(mail, "send", lambda _, message: messages.append(message))
    return messages


def rows(settings: Settings) -> list[dict[str, Any]]:
    with engine(settings.platform_db).connect() as connection:
        query = sa.select(CASE_NOTICES).order_by(CASE_NOTICES.c.id)
        return [dict(row) for row in connection.execute(query).mappings()]


def test_a_contact_is_told_once_and_nothing_that_was_written(
    desk: Office, settings: Settings, sent: list[EmailMessage]
) -> None:
    got = desk.send("No recogen la basura de Rosa", contact="rosa@correo.pe")
    desk.send("No recogen la basura de Ana")
    desk.route()
    now = datetime.now(UTC)
    assert notices.deliver(settings, turned, now) == (1, 0)
    assert notices.deliver(settings, turned, now + timedelta(days=1)) == (0, 0)
    (message,) = sent
    assert message["To"] == "rosa@correo.pe" and got["receipt"] in message["Subject"]
    assert "Rosa" not in message.as_string() and got["secret"] not in message.as_string()
    assert "Rosa" not in json.dumps(rows(settings), default=str)


def test_who_was_joined_is_told_of_the_answer_too(
    desk: Office, settings: Settings, sent: list[EmailMessage]
) -> None:
    text = "No recogen la basura de la avenida principal desde hace dos semanas"
    desk.send(text)
    desk.send(text, contact="b@correo.pe")
    desk.route()
    clerk = desk.key("limpieza_publica")
    (case,) = desk.queue(clerk)
    desk.act(clerk, case["id"], "answer", version=2, text="El jueves.")
    notices.deliver(settings, turned, datetime.now(UTC))
    assert [message["To"] for message in sent] == ["b@correo.pe"]


def test_a_mail_that_is_not_taken_waits_and_ends_after_three_days(
    desk: Office, settings: Settings
) -> None:
    desk.send("No recogen la basura", contact="a@correo.pe")
    desk.route()
    now = datetime.now(UTC)
    assert notices.deliver(settings, turned, now) == (0, 1), "nothing listens there"
    (row,) = rows(settings)
    assert (row["tries"], row["state"]) == (1, "waiting") and "Refused" in row["error"]
    assert notices.deliver(settings, turned, now) == (0, 0), "not due yet"
    assert notices.deliver(settings, turned, now + timedelta(minutes=6)) == (0, 1)
    notices.deliver(settings, turned, now + timedelta(days=4))
    assert rows(settings)[0]["state"] == "failed"


def test_one_process_sends_what_two_found_due(
    desk: Office, settings: Settings, sent: list[EmailMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.send("No recogen la basura", contact="a@correo.pe")
    desk.route()
    now = datetime.now(UTC)
    found = notices._due(settings, now)
    monkeypatch.setattr(notices, "_due", lambda *_: found)
    assert notices.deliver(settings, turned, now) == (1, 0)
    assert notices.deliver(settings, turned, now) == (0, 0)
    assert len(sent) == 1


def test_without_a_server_or_a_seal_all_wait_or_no_contact_is_kept(
    desk: Office, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.send("No recogen la basura", contact="a@correo.pe")
    desk.route()
    now = datetime.now(UTC)
    quiet = settings.model_copy(update={"alert_smtp": ""})
    assert notices.deliver(quiet, turned, now) == (0, 1)
    assert notices.deliver(settings, None, now) == (0, 1)
    with office(Settings(home=tmp_path / "other"), monkeypatch) as plain:
        assert plain.send("No recogen la basura", contact="a@correo.pe")["notices"] is False


def test_a_departments_webhook_is_told_of_its_own_cases_alone(
    desk: Office, settings: Settings
) -> None:
    now = datetime.now(UTC)
    allowed = settings.model_copy(update={"webhook_networks": "127.0.0.0/8"})
    for agency in ("limpieza_publica", "transporte"):
        endpoints.add(allowed, agency, "https://127.0.0.1:9/", ("outbreak.case",), now)
    with engine(settings.platform_db).begin() as connection:
        connection.exec_driver_sql(f"UPDATE webhooks SET topics = '[\"{NAME}.case\"]'")
    desk.send("No recogen la basura de Rosa")
    desk.route()
    (row,) = outbox.listing(settings.platform_db)
    hooks = {hook.id: hook.agency for hook in endpoints.listing(settings.platform_db)}
    assert hooks[row.webhook] == "limpieza_publica" and row.topic == f"{NAME}.case"
    data = json.loads(row.body)["data"]
    assert data["department"] == "limpieza_publica" and "Rosa" not in row.body
