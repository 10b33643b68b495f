"""The ledger in use: its rows, its files, the event log, and what a database put back shows."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests import small_ledger
from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, TransientError
from yupana.core.progress import Silent
from yupana.governance import erasure, events, people
from yupana.governance.ledger import access, book, check, signing, witness
from yupana.governance.ledger.book import Entry
from yupana.governance.ledger.verifier import Report

STEPS = 6


@pytest.fixture
def used(tmp_path: Path) -> Settings:
    """A home with steps, of which the first was logged before there was a ledger."""
    settings = Settings(home=tmp_path / "home", ledger_witness=tmp_path / "elsewhere")
    settings.home.mkdir()
    settings.events.write_text('{"step": "older"}\n{"step": "old"}\n')
    for n in range(STEPS):
        events.append(settings, "ingest", f"set{n}", status="done", outputs=(f"x:{n}",))
    return settings


def live(settings: Settings) -> Report:
    return check.live(settings, Silent())


def tamper(settings: Settings, statement: str) -> None:
    """What someone does who owns the database."""
    with sqlite3.connect(settings.home / "platform.db") as connection:
        for what in ("update", "delete", "replace"):
            connection.execute(f"DROP TRIGGER IF EXISTS ledger_no_{what}")
        connection.execute(statement)


def test_a_ledger_in_use_is_whole(used: Settings) -> None:
    report = live(used)
    assert report.ok and report.checked == STEPS + 2, report
    first = [e.subject for e in book.read(used.platform_db)][:3]
    assert first == ["ledger.key", "events.jsonl", "set0"]


@pytest.mark.parametrize(
    ("statement", "place", "what"),
    [
        ("UPDATE ledger SET kind = 'gate' WHERE seq = 5", 5, "changed"),
        ("UPDATE ledger SET subject = 'set9' WHERE seq = 5", 5, "changed"),
        ("UPDATE ledger SET line = replace(line, 'set2', 'set9') WHERE seq = 5", 5, "changed"),
        ("UPDATE ledger SET line = (SELECT line FROM ledger WHERE seq = 4) WHERE seq = 5", 5, ""),
        ("DELETE FROM ledger WHERE seq = 5", 5, "deleted"),
        ("DELETE FROM ledger WHERE seq > 5", 6, "truncated"),
        ("DELETE FROM ledger", 1, "truncated"),
        ("UPDATE ledger SET seq = seq + 100 WHERE seq > 5", 6, ""),
        ("INSERT INTO ledger SELECT 9, kind, subject, line FROM ledger WHERE seq = 5", 9, ""),
    ],
)
def test_a_row_that_was_touched_is_named(
    used: Settings, statement: str, place: int, what: str
) -> None:
    tamper(used, statement)
    report = live(used)
    named = report.first_bad in (place, place + 100 if "+ 100" in statement else place)
    assert not report.ok and named and what in report.what, report


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t: t.replace(b'"set3"', b'"set9"'), "line 6 of events.jsonl is not as recorded"),
        (lambda t: t.replace(b'"old"', b'"new"'), "the first 2 lines of events.jsonl"),
        (lambda t: b"".join(t.splitlines(True)[:4] + t.splitlines(True)[5:]), "line 5"),
        (lambda t: b"".join(t.splitlines(True)[:-1]), "events.jsonl ends before line 8"),
        (lambda t: t + t.splitlines(True)[-1], "line 9 of events.jsonl was never recorded"),
        (lambda t: t[:-10], "line 8 of events.jsonl is not as recorded"),
    ],
)
def test_a_line_of_the_log_that_was_touched_is_named(
    used: Settings, change: Callable[[bytes], bytes], told: str
) -> None:
    used.events.write_bytes(change(used.events.read_bytes()))
    report = live(used)
    assert not report.ok and told in report.told, report


def test_a_database_that_was_put_back_is_found_by_the_witness(used: Settings) -> None:
    """Even where everything in home was put back with it: the witness is elsewhere."""
    copy = used.home.with_name("copy")
    shutil.copytree(used.home, copy)
    for n in range(3):
        events.append(used, "ingest", f"later{n}", status="done")
    book.prepare(used.platform_db).dispose()
    shutil.rmtree(used.home)
    shutil.copytree(copy, used.home)
    report = live(used)
    assert (report.first_bad, report.what) == (STEPS + 3, "truncated"), report
    events.append(used, "ingest", "another", status="done")
    report = live(used)
    assert not report.ok and report.first_bad == STEPS + 3, report


def test_the_database_takes_no_change_by_itself(used: Settings) -> None:
    copy = "SELECT seq, kind, subject, 'x' FROM ledger WHERE seq = 3"
    for statement in (
        "UPDATE ledger SET kind = 'x'", "DELETE FROM ledger", f"REPLACE INTO ledger {copy}",
        f"INSERT INTO ledger {copy} ON CONFLICT (seq) DO UPDATE SET line = 'x'",
    ):  # fmt: skip
        refused = pytest.raises(sa.exc.IntegrityError, match="append-only")
        with refused, book.prepare(used.platform_db).begin() as connection:
            connection.exec_driver_sql(statement)
    assert live(used).ok


def test_a_witness_that_is_away_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    settings = Settings(home=tmp_path / "home", ledger_witness=blocked / "elsewhere")
    settings.home.mkdir()
    book.append(settings, [Entry("access", "x")])
    assert "witness is away" in caplog.text
    assert live(settings).ok
    blocked.unlink()
    book.append(settings, [Entry("access", "y")])
    assert live(settings).ok and witness.files(settings)[1].exists()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda key: key.unlink(), "key is lost"),
        (lambda key: key.chmod(0o644), "others may read it"),
        (lambda key: key.write_text("00" * 8), "cut short"),
        (lambda key: key.write_text("11" * 32), "do not belong together"),
    ],
)
def test_a_key_that_is_not_good_stops_with_a_fix(
    used: Settings, spoil: Callable[[Path], None], told: str
) -> None:
    spoil(signing.key_file(used))
    signing._private.cache_clear()
    with pytest.raises(TerminalError, match=told) as caught:
        book.append(used, [Entry("access", "x")])
    assert "backup" in caught.value.fix


def test_writers_at_once_make_one_key(lake: Settings) -> None:
    start = threading.Barrier(8)

    def sign(_: int) -> str:
        start.wait()
        return signing.sign(lake, b"x")

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(sign, range(8)))) == 1
    assert [p.name for p in sorted((lake.home / "keys").iterdir())] == ["ledger.key", "ledger.pub"]


def test_a_key_in_use_is_not_read_again(used: Settings) -> None:
    before = signing.public_key(used)
    assert len(before) == 64 and signing.key_file(used).stat().st_mode & 0o777 == 0o600
    said = next(book.read(used.platform_db, kind="key"))
    assert said.facts == {"what": "in use", "public": before}


def test_no_database_no_record(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, platform_url=f"sqlite:///{tmp_path}/none/platform.db")
    with pytest.raises(TransientError, match="cannot be"):
        book.append(settings, [Entry("access", "x")])


def test_a_person_is_erased_and_the_chain_holds(used: Settings) -> None:
    name = people.pseudonym(used, "os:ana")
    book.append(used, [Entry("approve", "outbreak@1", {}, name)])
    before = [*book.lines(used.platform_db)]
    now = datetime.now().astimezone()
    assert erasure.forget(used, "os:ana", now) == name
    assert people.account(used.platform_db, name) is None
    assert [*book.lines(used.platform_db)][:-1] == before and live(used).ok
    last = book.newest(used.platform_db)
    assert last and (last.kind, last.subject, last.facts) == ("forget", name, {})
    dumped = b"".join(book.lines(used.platform_db)) + used.events.read_bytes()
    assert b"ana" not in dumped and b"os:" not in dumped
    assert people.pseudonym(used, "os:ana") != name, "the same name does not come back"


def test_access_to_personal_data_is_recorded_by_pseudonym(used: Settings) -> None:
    access.note(used, "file", "raw:1", columns=["age"])
    last = book.newest(used.platform_db, "access")
    assert last and last.actor.startswith("person:") and last.facts["columns"] == ["age"]


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (Entry("other", "x"), "no kind"),
        (Entry("step", ""), "1 to 200"),
        (Entry("step", "a\0b"), "1 to 200"),
        (Entry("step", "x", {}, "Ana"), "A name does not belong"),
        (Entry("step", "x", {"n": "ñ" * 600_000}), "at most"),
    ],
)
def test_what_the_ledger_does_not_take_leaves_no_trace(
    used: Settings, entry: Entry, told: str
) -> None:
    before = [*book.lines(used.platform_db)]
    with pytest.raises(TerminalError, match=told):
        book.append(used, [Entry("access", "good"), entry])
    assert [*book.lines(used.platform_db)] == before


def test_a_clock_that_was_set_back_does_not_set_the_ledger_back(tmp_path: Path) -> None:
    settings = small_ledger.make(tmp_path, 2, 1, 1)
    book.append(settings, [Entry("access", "x")], now=small_ledger.START)
    times = [e.time for e in book.read(settings.platform_db)]
    assert times == sorted(times) and live(settings).ok


def test_every_number_of_an_event_is_said_in_its_line(used: Settings) -> None:
    for seq, kind, subject, line in book.rows(used.platform_db, 4):
        told = json.loads(line)
        assert (told["seq"], told["kind"], told["subject"]) == (seq, kind, subject) and seq <= 4
