"""The ledger under many writers and kill -9, on both databases."""

from __future__ import annotations

import json
import multiprocessing as mp
import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from answers import NOON, record
from platform_db import Control, fresh, postgres

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.core.progress import Silent
from yupana.database.engine import engine
from yupana.identity import api_keys
from yupana.identity.api_keys import Terms
from yupana.ledger import entries as book
from yupana.ledger import pseudonyms, step_events, witness, writer
from yupana.ledger.entries import Entry
from yupana.ledger.verifier import Report
from yupana.lineage import events
from yupana.orchestration import erasure
from yupana.predictions import log_writer
from yupana.trace import audit
from yupana.tracking import slots

WRITERS, KILLED, EACH = 8, 3, 12
# Not spawned: each would import everything anew. Nothing of the database is open before.
FORK = mp.get_context("fork")


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Control]]:
    with postgres() as database:
        yield database


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "sqlite":
        return Settings(home=tmp_path)
    return Settings(home=tmp_path, platform_url=fresh(request.getfixturevalue("server")[0]))


def live(settings: Settings) -> Report:
    return audit.verify(settings, Silent())


def _write(settings: Settings, who: int, endless: bool) -> None:
    """Say which events the ledger took, each after it did."""
    with (settings.home / f"told-{who}").open("ab", buffering=0) as receipts:
        n = 0
        while endless or n < EACH:
            entries = [Entry("access", f"w{who}-{n}-{i}") for i in range(1 + n % 3)]
            seqs = [sealed.seq for sealed in writer.append(settings, entries)]
            receipts.write(json.dumps([f"w{who}-{n}", seqs]).encode() + b"\n")
            n += 1


def test_eight_writers_of_which_three_are_killed_leave_one_chain(home: Settings) -> None:
    processes = [
        FORK.Process(target=_write, args=(home, who, who < KILLED), daemon=True)
        for who in range(WRITERS)
    ]
    for process in processes:
        process.start()
    for who, process in enumerate(processes[:KILLED]):
        _wait(
            lambda receipts=home.home / f"told-{who}": (
                receipts.exists() and receipts.stat().st_size > 200
            )
        )
        os.kill(process.pid or 0, signal.SIGKILL)
    for process in processes[KILLED:]:
        process.join(120)
        assert process.exitcode == 0
    lines = [line for f in home.home.glob("told-*") for line in f.read_text().splitlines()]
    receipts = [json.loads(line) for line in lines]
    assert len(receipts) >= (WRITERS - KILLED) * EACH + KILLED
    there = {event.seq: event.subject for event in book.read(home.platform_db)}
    for name, seqs in receipts:
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

    if where == "before the ledger":
        book.write = die  # type: ignore[assignment]
    elif where == "between ledger and log":
        step_events.row = die  # type: ignore[assignment]
    elif where == "before the references":
        step_events.references = die  # type: ignore[assignment]
    elif where == "before the witness":
        witness.leave = die  # type: ignore[assignment]
    events.append(settings, "ingest", "killed", status="done", outputs=("x:1",))


@pytest.mark.parametrize(
    ("where", "stays"),
    [
        ("before the ledger", False), ("between ledger and log", False),
        ("before the references", False), ("before the witness", True),
    ],
)  # fmt: skip
def test_a_step_that_is_killed_anywhere_is_whole_or_not_there(
    home: Settings, where: str, stays: bool
) -> None:
    events.append(home, "ingest", "first", status="done")
    engine(home.platform_db).dispose()
    child = FORK.Process(target=_step_and_die, args=(home, where))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    assert live(home).ok, "what is half done is no alarm"
    assert (events.maker(home.events, "x:1") is not None) == stays
    events.append(home, "ingest", "next", status="done")
    subjects = [event["subject"] for event in events.read(home.events)]
    assert subjects == ["first", *(["killed"] if stays else []), "next"]
    recorded = [e.subject for e in book.read(home.platform_db, kind="step")]
    assert recorded == subjects and live(home).ok


def _steps(settings: Settings, who: int) -> None:
    for n in range(EACH):
        events.append(settings, "ingest", f"w{who}-{n}", status="done", outputs=(f"x:{who}-{n}",))


def test_two_processes_log_steps_in_the_ledgers_order_while_it_is_checked(home: Settings) -> None:
    engine(home.platform_db).dispose()
    processes = [FORK.Process(target=_steps, args=(home, who), daemon=True) for who in range(2)]
    for process in processes:
        process.start()
    while any(process.is_alive() for process in processes):
        for incremental in (True, False):
            report = audit.verify(home, Silent(), incremental=incremental)
            assert report.ok, f"a step of now is no alarm: {report}"
            assert "found" not in report.scope.cause, report
    assert [process.exitcode for process in processes] == [0, 0]
    numbers = [number for number, _ in events.numbered(home.events)]
    assert numbers == [*range(1, 2 * EACH + 1)]
    subjects = [event["subject"] for event in events.read(home.events)]
    assert subjects == [e.subject for e in book.read(home.platform_db, kind="step")]


def test_what_is_done_to_keys_models_and_people_is_recorded(home: Settings) -> None:
    url, now = home.platform_db, datetime.now(UTC)
    before = book.newest(url)
    since = before.seq + 1 if before else 1
    terms = Terms("DIRESA Loreto", ("outbreak:forecast",))
    key = api_keys.create(url, terms, now=now, by="ana").split("_")[1]
    api_keys.rotate(url, key, grace=timedelta(days=1), now=now, by="ana")
    api_keys.revoke(url, key, now=now, by="ana")
    api_keys.revoke_subject(url, "@a1b2c3", now=now, by="ana")
    placed = slots.Placed("outbreak:1")
    slots.place(url, "outbreak", "champion", placed, now=now, by="ana")
    slots.clear(url, "outbreak", "champion", now=now, by="ana")
    name = pseudonyms.pseudonym(home, "os:ana")
    erasure.forget(home, name, now)
    entries = [event for event in book.read(url, since=since) if event.kind != "rows"]
    assert [(e.kind, e.facts.get("what", "")) for e in entries] == [
        ("key", "create"), ("key", "rotate"), ("key", "revoke"), ("key", "revoke"),
        ("deploy", ""), ("withdraw", ""), ("forget", ""),
    ]  # fmt: skip
    assert entries[0].subject == f"key:{key}" and all(e.actor for e in entries)
    every = book.read(url, since=since)
    text = json.dumps([(e.subject, e.actor, e.facts) for e in every])
    assert not any(word in text for word in ("ana", "DIRESA", "os:"))
    with engine(url).connect() as connection:
        by = connection.execute(sa.text('SELECT "by" FROM activity')).scalars().all()
    assert "ana" not in by and name in by
    assert live(home).ok


def test_an_answer_that_was_changed_is_found_by_its_group(home: Settings) -> None:
    records = [record(time=NOON + 0.25 + n, agency="DIRESA Loreto") for n in range(6)]
    for group in (records[:4], records[4:]):
        log_writer.record(home.platform_db, group)
    groups = [*book.read(home.platform_db, kind="predictions")][-2:]
    assert [event.facts["n"] for event in groups] == [4, 2]
    assert audit.verify(home, Silent()).ok
    where = f"WHERE prediction_id = '{records[5].prediction_id}'"
    with engine(home.platform_db).begin() as connection:
        connection.exec_driver_sql(f"UPDATE prediction_records SET parameters = '{{}}' {where}")
    report = audit.verify(home, Silent())
    assert (report.first_bad, report.what) == (groups[1].seq, "changed"), report
    with engine(home.platform_db).begin() as connection:
        connection.exec_driver_sql(f"DELETE FROM prediction_records {where}")
    report = audit.verify(home, Silent())
    assert (report.first_bad, report.what) == (groups[1].seq, "deleted"), report
    with engine(home.platform_db).begin() as connection:
        connection.exec_driver_sql("DELETE FROM prediction_records")
    report = audit.verify(home, Silent())
    assert [fault.event for fault in report.faults] == [g.seq for g in groups], report
    with engine(home.platform_db).begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO prediction_records SELECT 900, 'forged', 1.0, key, '{}', 'k', 'A', "
            "'answer', 'r' FROM predictions"
        )
    report = audit.verify(home, Silent())
    assert ("inserted", "900") in [(fault.what, fault.key) for fault in report.faults], report


def test_every_text_comes_back_as_it_was(home: Settings) -> None:
    note = "año \u2028 \0 \x7f \U0001f99f \" \\ \\u0000 ' %s"
    originals = [Entry("access", f"ñ'\"{n}\\", {"note": note, "share": 0.25}) for n in range(3)]
    writer.append(home, originals)
    copies = [*book.read(home.platform_db)][-3:]
    assert [(e.subject, e.facts) for e in copies] == [(e.subject, e.facts) for e in originals]
    assert live(home).ok


def test_another_home_does_not_write_into_a_ledger(home: Settings, tmp_path: Path) -> None:
    """It has another key: what it signed would not hold."""
    writer.append(home, [Entry("access", "x")])
    (tmp_path / "other").mkdir()
    other = Settings(home=tmp_path / "other", platform_url=home.platform_db)
    with pytest.raises(TerminalError, match="another key"):
        writer.append(other, [Entry("access", "y")])
    assert live(home).ok and book.newest(home.platform_db, "access", "y") is None
