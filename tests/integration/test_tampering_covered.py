"""A rightful change of a row does not vouch for what was tampered with before it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests import used_home
from yupana.config.settings import Settings
from yupana.core.progress import Silent
from yupana.identity import api_keys, oidc
from yupana.ledger import export, signing
from yupana.monitoring import alerts, delivery
from yupana.tasks.classify.cases import rule_files
from yupana.tasks.classify.cases.case import Case, Person
from yupana.tasks.classify.cases.handling import Desk
from yupana.tasks.classify.cases.queue import Filter, page
from yupana.trace import audit
from yupana.tracking import projects, slots
from yupana.webhooks import delivery as webhooks
from yupana.webhooks import endpoints


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = used_home.make(tmp_path_factory.mktemp("covered"))
    used_home.work(settings, 0)
    used_home.work(settings, 1)
    return settings


def close(own: Settings, case: str, version: int, now: datetime) -> Case:
    desk = Desk(own, "complaints", rule_files.load("complaints"))
    return desk.close(case, Person("key:k1", None), version, "Nada que hacer.", now)


CHANGES: dict[str, tuple[str, Callable[[Settings, datetime], object]]] = {
    "keys": (
        "UPDATE keys SET role = 'auditor' WHERE revoked IS NULL",
        lambda own, now: [
            api_keys.revoke(own.platform_db, key["id"], now=now, by="os:b")
            for key in api_keys.listing(own.platform_db) if key["revoked"] is None
        ],
    ),
    "subjects_revoked": (
        "UPDATE subjects_revoked SET before = '2020-01-01 00:00:00.000000'",
        lambda own, now: [
            api_keys.revoke_subject(own.platform_db, oidc.subject_id("https://id", f"s{n}"),
                                    now=now, by="os:b") for n in range(2)
        ],
    ),
    "projects": (
        "UPDATE projects SET data = '[\"personal\"]'",
        lambda own, now: projects.change(own, "sala", title="Otra"),
    ),
    "deployment_slots": (
        "UPDATE deployment_slots SET tag = 'outbreak:66' WHERE slot = 'champion'",
        lambda own, now: slots.clear(own.platform_db, "outbreak", "champion", now=now, by="os:b"),
    ),
    "alerts": (
        "UPDATE alerts SET times = 1",
        lambda own, now: alerts.update(own, "outbreak", "run9", [used_home.LOUD], "ana", now),
    ),
    "alert_messages": (
        "UPDATE alert_messages SET body = replace(body, 'warning', 'info'), delivered = NULL",
        lambda own, now: delivery.send(own, now, lambda _: None),
    ),
    "cases": (
        "UPDATE cases SET deadline = '2030-01-01 00:00:00.000000' WHERE state = 'department'",
        lambda own, now: [
            close(own, case.id, case.version, now)
            for case in page(
                own.platform_db, "complaints", Person("key:k1", None), Filter(), now, "", 50
            ).cases
        ],
    ),
    "webhooks": (
        "UPDATE webhooks SET url = 'https://elsewhere.example/' WHERE removed IS NULL",
        lambda own, now: [
            endpoints.remove(own, hook.id, now)
            for hook in endpoints.listing(own.platform_db) if hook.removed is None
        ],
    ),
    "webhook_notices": (
        "UPDATE webhook_notices SET body = '{}' WHERE state = 'waiting'",
        lambda own, now: webhooks.send(own, now + timedelta(days=1), Silent()),
    ),
}  # fmt: skip
"""By table: what someone does to a row, and what the platform then does to it rightly."""


@pytest.mark.parametrize("table", sorted(CHANGES))
def test_a_rightful_change_does_not_cover_up_what_was_tampered_with(
    home: Settings, table: str, tmp_path: Path
) -> None:
    statement, change = CHANGES[table]
    for tampered in (False, True):
        folder = tmp_path / str(tampered)
        shutil.copytree(home.home.parent, folder)
        own = Settings(home=folder / "home", ledger_witness=folder / "elsewhere")
        if tampered:
            with closing(sqlite3.connect(own.home / "platform.db")) as connection:
                assert connection.execute(statement).rowcount
                connection.commit()
        change(own, datetime.now(UTC))
        report = audit.verify(own, Silent())
        assert {fault.place for fault in report.faults} == ({table} if tampered else set()), report
        export.write(own, file := tmp_path / "export.jsonl", Silent(), datetime.now(UTC))
        elsewhere = export.checked(file, signing.public_key(own), Silent())
        assert elsewhere.ok != tampered, "an export has enough to see it"
        assert not tampered or f"{table} " in elsewhere.message, elsewhere
