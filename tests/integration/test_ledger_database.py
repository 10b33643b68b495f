"""The ledger under many writers and kill -9, on both databases, and PostgreSQL's own guards."""

from __future__ import annotations

import json
import multiprocessing as mp
import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from platform_db import Control, postgres

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, TransientError, UsageError
from yupana.core.progress import Silent
from yupana.governance import deployments, erasure, events, keys, people, prediction_rows
from yupana.governance.keys import Terms
from yupana.governance.ledger import book, check, step_events
from yupana.governance.ledger.book import Entry
from yupana.governance.ledger.restrict import restrict
from yupana.governance.ledger.verifier import Report
from yupana.governance.predictions import Given, Told

WRITERS, KILLED, EACH = 8, 3, 12
# Not spawned: each would import everything anew. Nothing of the database is open before.
FORK = mp.get_context("fork")


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Control]]:
    with postgres() as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "sqlite":
        return Settings(home=tmp_path)
    return Settings(home=tmp_path, platform_url=fresh(request.getfixturevalue("server")[0]))


def fresh(server: str) -> str:
    """A database of its own: one ledger has one home."""
    name = f"d{uuid.uuid4().hex}"
    with sa.create_engine(server, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    return server.replace("/postgres?", f"/{name}?")


def live(settings: Settings) -> Report:
    return check.live(settings, Silent())


def _write(settings: Settings, who: int, endless: bool) -> None:
    """Say which events the ledger took, each after it did."""
    with (settings.home / f"told-{who}").open("ab", buffering=0) as told:
        n = 0
        while endless or n < EACH:
            entries = [Entry("access", f"w{who}-{n}-{i}") for i in range(1 + n % 3)]
            seqs = [sealed.seq for sealed in book.append(settings, entries)]
            told.write(json.dumps([f"w{who}-{n}", seqs]).encode() + b"\n")
            n += 1


def test_eight_writers_of_which_three_are_killed_leave_one_chain(home: Settings) -> None:
    writers = [
        FORK.Process(target=_write, args=(home, who, who < KILLED), daemon=True)
        for who in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    for who, writer in enumerate(writers[:KILLED]):
        _wait(lambda told=home.home / f"told-{who}": told.exists() and told.stat().st_size > 200)
        os.kill(writer.pid or 0, signal.SIGKILL)
    for writer in writers[KILLED:]:
        writer.join(120)
        assert writer.exitcode == 0
    lines = [line for f in home.home.glob("told-*") for line in f.read_text().splitlines()]
    told = [json.loads(line) for line in lines]
    assert len(told) >= (WRITERS - KILLED) * EACH + KILLED
    there = {event.seq: event.subject for event in book.read(home.platform_db)}
    for name, seqs in told:
        assert [there[seq] for seq in seqs] == [f"{name}-{i}" for i in range(len(seqs))]
        assert seqs == [*range(seqs[0], seqs[0] + len(seqs))], "a group stands together"
    assert list(there) == [*range(1, len(there) + 1)]
    report = live(home)
    assert report.ok and report.checked == len(there), report


def _wait(reached: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < until
        time.sleep(0.01)


def _step_and_die(settings: Settings, where: str) -> None:
    """Log a step, and be killed at one point of it."""

    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    synced, calls = events._synced, []

    def writing(stream: object, data: bytes) -> None:
        calls.append(data)
        if len(calls) == 2 and where == "in the line":
            synced(stream, data[:30])  # type: ignore[arg-type]
            die()
        if len(calls) == 2 and where == "before the line":
            die()
        synced(stream, data)  # type: ignore[arg-type]
        if (len(calls), where) in ((1, "before the ledger"), (2, "after the line")):
            die()

    events._synced = writing  # type: ignore[assignment]
    if where == "before the witness":
        book.witness = die  # type: ignore[assignment]
    events.append(settings, "ingest", "killed", status="done")


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ("before the ledger", False), ("before the witness", True), ("before the line", True),
        ("in the line", True), ("after the line", True),
    ],
)  # fmt: skip
def test_a_step_that_is_killed_anywhere_is_whole_or_not_there(
    tmp_path: Path, where: str, kept: bool
) -> None:
    settings = Settings(home=tmp_path)
    events.append(settings, "ingest", "first", status="done")
    book.prepare(settings.platform_db).dispose()
    child = FORK.Process(target=_step_and_die, args=(settings, where))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    assert live(settings).ok, "what is half done is no alarm"
    events.append(settings, "ingest", "next", status="done")
    subjects = [event["subject"] for event in events.read(settings.events)]
    assert subjects == ["first", *(["killed"] if kept else []), "next"]
    recorded = [e.subject for e in book.read(settings.platform_db, kind="step")]
    assert recorded == subjects and live(settings).ok
    assert not settings.events.with_suffix(".pending").exists()
    assert step_events.has(settings, settings.events.read_bytes().splitlines(True)[-1])


def test_what_is_done_to_keys_models_and_people_is_recorded(home: Settings) -> None:
    url, now = home.platform_db, datetime.now(UTC)
    before = book.newest(url)
    since = before.seq + 1 if before else 1
    terms = Terms("DIRESA Loreto", ("outbreak:forecast",))
    key = keys.create(url, terms, now=now, by="ana").split("_")[1]
    keys.rotate(url, key, grace=timedelta(days=1), now=now, by="ana")
    keys.revoke(url, key, now=now, by="ana")
    keys.revoke_subject(url, "@a1b2c3", now=now, by="ana")
    placed = deployments.Placed("outbreak:1")
    deployments.place(url, "outbreak", "champion", placed, now=now, by="ana")
    deployments.clear(url, "outbreak", "champion", now=now, by="ana")
    name = people.pseudonym(home, "os:ana")
    erasure.forget(home, name, now)
    found = [*book.read(url, since=since)]
    assert [(e.kind, e.facts.get("what", "")) for e in found] == [
        ("key", "create"), ("key", "rotate"), ("key", "revoke"), ("key", "revoke"),
        ("deploy", ""), ("withdraw", ""), ("forget", ""),
    ]  # fmt: skip
    assert found[0].subject == f"key:{key}" and all(e.actor for e in found)
    text = json.dumps([(e.subject, e.actor, e.facts) for e in found])
    assert not any(word in text for word in ("ana", "DIRESA", "os:"))
    with deployments.prepare(url).connect() as connection:
        by = connection.execute(sa.text('SELECT "by" FROM activity')).scalars().all()
    assert "ana" not in by and name in by
    assert live(home).ok


def test_a_database_that_is_away_records_nothing(
    server: tuple[str, Control], tmp_path: Path
) -> None:
    control = server[1]
    settings = Settings(home=tmp_path, platform_url=fresh(server[0]))
    events.append(settings, "ingest", "before", status="done")
    control("stop")
    try:
        with pytest.raises(TransientError, match="ledger cannot be reached"):
            events.append(settings, "ingest", "away", status="done")
    finally:
        control("start")
    events.append(settings, "ingest", "after", status="done")
    assert [e["subject"] for e in events.read(settings.events)] == ["before", "after"]


def test_the_platforms_role_can_append_and_read_alone(
    server: tuple[str, Control], tmp_path: Path
) -> None:
    owner = fresh(server[0])
    with sa.create_engine(owner).begin() as connection:
        connection.exec_driver_sql("CREATE ROLE yupana_app LOGIN")
    done = restrict(owner, "yupana_app")
    assert done == restrict(owner, "yupana_app"), "again changes nothing"
    settings = Settings(home=tmp_path, platform_url=owner.replace("yupana@", "yupana_app@"))
    url = settings.platform_db
    for n in range(2):
        events.append(settings, "ingest", f"set{n}", status="done")
    keys.create(url, Terms("X", ("outbreak:forecast",)), now=datetime.now(UTC), by="ana")
    for statement in (
        "UPDATE ledger SET kind = 'x'", "DELETE FROM ledger", "TRUNCATE ledger",
        "DROP TABLE ledger", "DROP TRIGGER ledger_no_change ON ledger",
        "ALTER TABLE ledger DISABLE TRIGGER ALL", "DROP FUNCTION ledger_refuse() CASCADE",
        "CREATE OR REPLACE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RETURN OLD; END $$",
        "CREATE TRIGGER a BEFORE INSERT ON ledger FOR EACH ROW EXECUTE FUNCTION ledger_refuse()",
        "INSERT INTO ledger SELECT * FROM ledger ON CONFLICT (seq) DO UPDATE SET kind = 'x'",
        "ALTER TABLE ledger OWNER TO yupana_app", "SET session_replication_role = replica",
        "SELECT * FROM ledger FOR UPDATE",
    ):  # fmt: skip
        refused = pytest.raises(sa.exc.ProgrammingError, match=r"permission denied|must be owner")
        with refused, book.prepare(url).begin() as connection:
            connection.exec_driver_sql(statement)
    report = live(settings)
    assert report.ok and report.checked == 4, report


@pytest.mark.parametrize(
    "statement", ["UPDATE ledger SET kind = 'x'", "DELETE FROM ledger", "TRUNCATE ledger"]
)
@pytest.mark.parametrize("as_replica", [False, True])
def test_even_the_owner_is_refused_by_the_triggers(
    server: tuple[str, Control], tmp_path: Path, statement: str, as_replica: bool
) -> None:
    settings = Settings(home=tmp_path, platform_url=fresh(server[0]))
    book.append(settings, [Entry("access", "x")])
    refused = pytest.raises(sa.exc.DBAPIError, match="append-only")
    with refused, book.prepare(settings.platform_db).begin() as connection:
        if as_replica:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql(statement)


@pytest.mark.parametrize("role", ["yupana", "nobody_there", 'x"; DROP TABLE ledger; --'])
def test_a_role_that_cannot_be_bound_is_refused(server: tuple[str, Control], role: str) -> None:
    with pytest.raises(UsageError, match="no role that can be bound"):
        restrict(server[0], role)


def test_sqlite_has_no_roles(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="SQLite has no roles"):
        restrict(Settings(home=tmp_path).platform_db, "yupana_app")


def test_an_answer_that_was_changed_is_found_by_its_group(home: Settings) -> None:
    told = Told("k", "outbreak", "1", "outbreak:1", "ref", "160101", "2022-01-01", {}, [], [])
    given = [
        Given(f"{home.platform_url[:2]}{n}", 1_772_366_400.25 + n, told, 8, "2022-01-02", "k1",
              "DIRESA Loreto", "answer", "r")
        for n in range(6)
    ]  # fmt: skip
    for group in (given[:4], given[4:]):
        prediction_rows.record(home.platform_db, group)
    groups = [*book.read(home.platform_db, kind="predictions")][-2:]
    assert [event.facts["n"] for event in groups] == [4, 2]
    assert check.live(home, Silent(), with_answers=True).ok
    where = f"WHERE prediction_id = '{given[5].prediction_id}'"
    with prediction_rows.prepare(home.platform_db).begin() as connection:
        connection.exec_driver_sql(f"UPDATE answers_given SET horizon = 1 {where}")
    report = check.live(home, Silent(), with_answers=True)
    assert (report.first_bad, report.what) == (groups[1].seq, "changed"), report
    assert live(home).ok, "who does not ask for it is not told"
    with prediction_rows.prepare(home.platform_db).begin() as connection:
        connection.exec_driver_sql(f"DELETE FROM answers_given {where}")
    assert check.live(home, Silent(), with_answers=True).ok, "old rows move to the lake"


def test_every_text_comes_back_as_it_was(home: Settings) -> None:
    note = "año \u2028 \0 \x7f \U0001f99f \" \\ \\u0000 ' %s"
    given = [Entry("access", f"ñ'\"{n}\\", {"note": note, "share": 0.25}) for n in range(3)]
    book.append(home, given)
    found = [*book.read(home.platform_db)][-3:]
    assert [(e.subject, e.facts) for e in found] == [(e.subject, e.facts) for e in given]
    assert live(home).ok


def test_another_home_does_not_write_into_a_ledger(home: Settings, tmp_path: Path) -> None:
    """It has another key: what it signed would not hold."""
    book.append(home, [Entry("access", "x")])
    (tmp_path / "other").mkdir()
    other = Settings(home=tmp_path / "other", platform_url=home.platform_db)
    with pytest.raises(TerminalError, match="another key"):
        book.append(other, [Entry("access", "y")])
    assert live(home).ok and book.newest(home.platform_db, "access", "y") is None
