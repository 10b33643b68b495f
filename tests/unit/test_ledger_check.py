"""The ledger in use: its rows, its files, the event log, and what a database put back shows."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests import event_rows, small_ledger
from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, TransientError
from yupana.core.progress import Silent
from yupana.database.engine import engine
from yupana.identity import activity
from yupana.ledger import (
    check,
    entries,
    pseudonyms,
    signing,
    step_events,
    vouched_tables,
    witness,
    writer,
)
from yupana.ledger.check import Audit
from yupana.ledger.entries import Entry
from yupana.lineage import events
from yupana.orchestration import erasure

STEPS = 6


@pytest.fixture
def used(tmp_path: Path) -> Settings:
    """A home with steps, of which the first was logged before there was a ledger."""
    settings = Settings(home=tmp_path / "home", ledger_witness=tmp_path / "elsewhere")
    settings.home.mkdir()
    event_rows.add(settings, {"step": "older"}, {"step": "old"})
    # As the migration recorded what was there before.
    bodies = [body.encode() for _, body in events.numbered(settings.events)]
    before = {"lines": len(bodies), "sha256": step_events.whole(bodies)}
    writer.append(settings, [Entry("step", step_events.LOG, {"before": before})])
    for n in range(STEPS):
        events.append(settings, "ingest", f"set{n}", status="done", outputs=(f"x:{n}",))
    return settings


def live(settings: Settings) -> Audit:
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
    first = [e.subject for e in entries.read(used.platform_db)][:3]
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
    right_place = report.first_bad in (place, place + 100 if "+ 100" in statement else place)
    assert not report.ok and right_place and what in report.what, report


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE events SET body = replace(body, 'set3', 'set9') WHERE seq = 6", "row 6"),
        (
            "UPDATE events SET subject = 'set9', body = replace(body, 'set3', 'set9') "
            "WHERE seq = 6",
            "row 6 of the event log is not as recorded",
        ),
        (
            "UPDATE events SET step = 'odd', body = replace(body, 'older', 'odd') WHERE seq = 1",
            "the first 2 rows",
        ),
        ("DELETE FROM events WHERE seq = 5", "row 5"),
        ("DELETE FROM events WHERE seq = 8", "the event log ends before row 8"),
        (
            "INSERT INTO events SELECT 9, time, step, subject, status, body FROM events "
            "WHERE seq = 8",
            "row 9 of the event log was never recorded",
        ),
        ("UPDATE events SET body = substr(body, 1, 30) WHERE seq = 8", "row 8"),
        # What a look-up goes by, and the text says otherwise.
        ("UPDATE events SET subject = 'set9' WHERE seq = 6", "row 6"),
        ("UPDATE events SET status = 'failed' WHERE seq = 6", "row 6"),
        ("UPDATE event_refs SET ref = 'x:9' WHERE ref = 'x:3'", "row 6"),
        ("UPDATE event_refs SET event = 7 WHERE ref = 'x:3'", "row 6"),
        ("DELETE FROM event_refs WHERE ref = 'x:3'", "row 6"),
        ("INSERT INTO event_refs VALUES ('x:9', 'input', 6)", "row 6"),
    ],
)
def test_a_row_of_the_log_that_was_touched_is_named(
    used: Settings, statement: str, message: str
) -> None:
    tamper(used, statement)
    report = live(used)
    assert not report.ok and message in report.message, report


def test_a_database_that_was_put_back_is_found_by_the_witness(used: Settings) -> None:
    """Even where everything in home was put back with it: the witness is elsewhere."""
    copy = used.home.with_name("copy")
    shutil.copytree(used.home, copy)
    for n in range(3):
        events.append(used, "ingest", f"later{n}", status="done")
    engine(used.platform_db).dispose()
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
        with refused, engine(used.platform_db).begin() as connection:
            connection.exec_driver_sql(statement)
    assert live(used).ok


def test_a_witness_that_is_away_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    settings = Settings(home=tmp_path / "home", ledger_witness=blocked / "elsewhere")
    settings.home.mkdir()
    writer.append(settings, [Entry("access", "x")])
    assert "witness is away" in caplog.text
    assert live(settings).ok
    blocked.unlink()
    writer.append(settings, [Entry("access", "y")])
    assert live(settings).ok and witness.files(settings)[1].exists()


def test_the_report_says_how_much_is_seen_by_a_witness_elsewhere(
    tmp_path: Path, used: Settings
) -> None:
    report = live(used)
    assert report.witness.unwitnessed == 0 and str(report).startswith("ok: "), report
    entries.record(used, [Entry("access", "x")] * 3, datetime.now().astimezone())
    report = live(used)
    assert (report.ok, report.witness.unwitnessed) == (True, 3), report
    assert "but for the last 3 events" in str(report)
    alone = used.model_copy(update={"ledger_witness": None})
    text = str(live(alone))
    assert text.startswith("not witnessed elsewhere") and "witness: none elsewhere" in text
    assert all(f"outside: {name}: " in text for name in vouched_tables.OUTSIDE)


def test_a_clock_that_was_set_back_does_not_silence_the_witness(used: Settings) -> None:
    """The last checkpoint then seems to be of the future."""
    entries.record(used, [Entry("access", "x")], datetime.now().astimezone())
    own = witness.files(used)[0]
    future = own.stat().st_mtime + 86_400
    os.utime(own, (future, future))
    assert witness.leave(used, every=1.0) and live(used).witness.unwitnessed == 0


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda key: key.unlink(), "key is lost"),
        (lambda key: key.chmod(0o644), "others may read it"),
        (lambda key: key.write_text("00" * 8), "cut short"),
        (lambda key: key.write_text("11" * 32), "do not belong together"),
    ],
)
def test_a_key_that_is_not_good_stops_with_a_fix(
    used: Settings, spoil: Callable[[Path], None], message: str
) -> None:
    spoil(signing.key_file(used))
    signing._private.cache_clear()
    with pytest.raises(TerminalError, match=message) as caught:
        writer.append(used, [Entry("access", "x")])
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
    event = next(entries.read(used.platform_db, kind="key"))
    assert event.facts == {"what": "in use", "public": before}


def test_no_database_no_record(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, platform_url=f"sqlite:///{tmp_path}/none/platform.db")
    with pytest.raises(TransientError, match="cannot be"):
        writer.append(settings, [Entry("access", "x")])


def test_a_person_is_erased_and_the_chain_holds(used: Settings) -> None:
    name = pseudonyms.pseudonym(used, "os:ana")
    writer.append(used, [Entry("approve", "outbreak@1", {}, name)])
    before = [*entries.lines(used.platform_db)]
    now = datetime.now().astimezone()
    assert erasure.forget(used, "os:ana", now) == name
    assert pseudonyms.account(used.platform_db, name) is None
    assert [*entries.lines(used.platform_db)][: len(before)] == before and live(used).ok
    last = entries.newest(used.platform_db)
    assert last and (last.kind, last.subject, last.facts) == ("forget", name, {})
    bodies = "".join(body for _, body in events.numbered(used.events)).encode()
    dumped = b"".join(entries.lines(used.platform_db)) + bodies
    assert b"ana" not in dumped and b"os:" not in dumped
    assert pseudonyms.pseudonym(used, "os:ana") != name, "the same name does not come back"


def test_access_to_personal_data_is_recorded_by_pseudonym(used: Settings) -> None:
    activity.note_access(used, "file", "raw:1", columns=["age"])
    last = entries.newest(used.platform_db, "access")
    assert last and last.actor.startswith("person:") and last.facts["columns"] == ["age"]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (Entry("other", "x"), "no kind"),
        (Entry("step", ""), "1 to 200"),
        (Entry("step", "a\0b"), "1 to 200"),
        (Entry("step", "x", {}, "Ana"), "A name does not belong"),
        (Entry("step", "x", {"n": "ñ" * 600_000}), "at most"),
    ],
)
def test_what_the_ledger_does_not_take_leaves_no_trace(
    used: Settings, entry: Entry, message: str
) -> None:
    before = [*entries.lines(used.platform_db)]
    with pytest.raises(TerminalError, match=message):
        writer.append(used, [Entry("access", "good"), entry])
    assert [*entries.lines(used.platform_db)] == before


def test_a_clock_that_was_set_back_does_not_set_the_ledger_back(tmp_path: Path) -> None:
    settings = small_ledger.make(tmp_path, 2, 1, 1)
    writer.append(settings, [Entry("access", "x")], now=small_ledger.START)
    times = [e.time for e in entries.read(settings.platform_db)]
    assert times == sorted(times) and live(settings).ok


def test_every_number_of_an_event_is_said_in_its_line(used: Settings) -> None:
    for seq, kind, subject, line in entries.rows(used.platform_db, 4):
        event = json.loads(line)
        assert (event["seq"], event["kind"], event["subject"]) == (seq, kind, subject) and seq <= 4
