"""A case's whole life on both databases, as the role that a service has, and ended by the ledger's
own check; the tables go and come with their schema."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from schemas import server, table_faults, url

from yupana.config.settings import Settings
from yupana.database import schema
from yupana.database.engine import engine, unchecked
from yupana.ledger.restrict import restrict
from yupana.tasks.classify.cases import queue, receipts, rule_files, store
from yupana.tasks.classify.cases.case import Person
from yupana.tasks.classify.cases.following import Follower
from yupana.tasks.classify.cases.handling import Desk
from yupana.tasks.classify.cases.intake import ConflictError, File, Intake, Submission
from yupana.tasks.classify.cases.queue import Filter
from yupana.tasks.classify.cases.reading import Reader
from yupana.tasks.classify.cases.router import Router
from yupana.tasks.classify.result import Classification

__all__ = ["server", "url"]
NAME, ROLE = "complaints", "yupana_cases"
NOW = datetime(2026, 3, 2, 15, 0, 0, 123456, tzinfo=UTC)
RULES = rule_files.load(NAME)
WHO = Person("key:k1", ("limpieza_publica", "sanidad"))


def as_service(url: str, home: Path) -> Settings:
    """Settings of a service: on PostgreSQL by a role that may only what a service may."""
    if not url.startswith("postgresql"):
        return Settings(home=home)
    engine(url)
    with unchecked(url).begin() as connection:
        there = connection.scalar(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :r"), {"r": ROLE})
        if not there:
            connection.exec_driver_sql(f"CREATE ROLE {ROLE} LOGIN")
    restrict(url, ROLE, "cases")
    return Settings(home=home, platform_url=url.replace("yupana@", f"{ROLE}@"))


def test_a_case_lives_on_either_database_by_a_services_rights(url: str, tmp_path: Path) -> None:
    settings = as_service(url, tmp_path)
    database = settings.platform_db
    keys = receipts.configured(settings)
    intake = Intake(settings, NAME, RULES, keys, seal=lambda content: content[::-1])
    sent = Submission(
        "No recogen la basura de mi calle 🙂", "Basura", {"lat": -3.75, "long": -73.25},
        contact="a@b.pe", files=[File(b"\x00\xff", "foto.jpg")], request="a" * 16, body=b"1",
    )  # fmt: skip
    got = intake.receive(sent, NOW)
    assert intake.receive(sent, NOW + timedelta(hours=1)).secret == got.secret
    with pytest.raises(ConflictError):
        intake.receive(Submission("Otra", request="a" * 16, body=b"2"), NOW)
    said = Classification("limpieza_y_residuos", 0.75, language="es")
    router = Router(settings, NAME, RULES, lambda texts: [said] * len(texts))
    assert router.run_once(NOW) == 1
    desk, follower = Desk(settings, NAME, RULES), Follower(settings, NAME, RULES)
    page = queue.page(database, NAME, WHO, Filter(overdue=False), NOW, "", 1)
    assert [case.received for case in page.cases] == [NOW]
    desk.take(got.case_id, WHO, 2, NOW)
    desk.correct(got.case_id, WHO, 3, "animales", "", NOW)
    desk.answer(got.case_id, WHO, 4, "Listo.", "", NOW)
    seen = follower.object(got.receipt, got.secret, "No.", NOW)
    assert (seen.case.state, seen.case.version) == ("review", 6)
    assert seen.case.answer and seen.case.answer["text"] == "Listo."
    reader = Reader(settings, NAME, lambda content: content[::-1])
    assert reader.original(got.case_id, WHO, "Leer.", NOW)["text"] == sent.text
    (file,) = reader.whole(got.case_id, WHO).attachments
    assert reader.attachment(got.case_id, file.sha256, WHO, NOW)[1] == b"\x00\xff"
    assert not [f for f in table_faults(url) if f.place.startswith("case")]
    with engine(database).connect() as connection:
        numbers = [event.number for event in store.history(connection, got.case_id)]
    assert numbers == [1, 2, 3, 4, 5, 6]


def test_a_changed_case_is_found_by_the_ledgers_check(url: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, platform_url=url)
    got = Intake(settings, NAME, RULES, receipts.configured(settings)).receive(
        Submission("No recogen la basura"), NOW
    )
    with engine(url).begin() as connection:
        connection.exec_driver_sql("UPDATE cases SET department = 'luna'")
    faults = [(f.place, f.key) for f in table_faults(url) if f.place == "cases"]
    assert faults == [("cases", got.case_id)]


def test_the_pages_of_the_queue_hold_each_case_once(url: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, platform_url=url)
    intake = Intake(settings, NAME, RULES, receipts.configured(settings))
    for number in range(7):
        intake.receive(Submission(f"Basura {number} fuga de gas"[: 10 + number % 2 * 20]), NOW)
    said = Classification("limpieza_y_residuos", 0.75, language="es")
    Router(settings, NAME, RULES, lambda texts: [said] * len(texts)).run_once(NOW)
    after, seen = "", []
    while True:
        page = queue.page(settings.platform_db, NAME, WHO, Filter(), NOW, after, 2)
        seen += [(case.rank, case.id) for case in page.cases]
        if not (after := page.after):
            break
    assert len({*seen}) == len(seen) == 7 and seen == sorted(seen)


def test_the_way_down_says_in_the_ledger_that_the_cases_are_gone(url: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, platform_url=url)
    intake = Intake(settings, NAME, RULES, receipts.configured(settings))
    intake.receive(Submission("No recogen la basura", files=[File(b"a")]), NOW)
    database = engine(url)
    schema.downgrade(database, "0008")
    assert not [n for n in sa.inspect(database).get_table_names() if n.startswith("case")]
    schema.upgrade(database)
    assert not [fault for fault in table_faults(url) if fault.place.startswith("case")]
