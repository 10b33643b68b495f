"""The mark of a good check: what the next one reads, and what makes it read everything."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from answers import record

from tests import small_ledger
from yupana.config.settings import Settings
from yupana.core.progress import Silent
from yupana.database.engine import engine
from yupana.identity import api_keys
from yupana.identity.api_keys import Terms
from yupana.ledger import check, mark, pseudonyms, witness, writer
from yupana.ledger.check import Audit
from yupana.ledger.entries import Entry
from yupana.lineage import events
from yupana.orchestration import erasure
from yupana.predictions import archive, export, log_writer
from yupana.trace import audit

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a home of a day that was checked once, and its copy in `whole`."""
    folder = tmp_path_factory.mktemp("marked")
    settings = Settings(home=folder / "now" / "home", ledger_witness=folder / "now" / "elsewhere")
    settings.home.mkdir(parents=True)
    work(settings)
    report = audit.verify(settings, Silent(), now=NOW)
    assert report.ok and report.scope.since == 0, report
    engine(settings.platform_db).dispose()
    shutil.copytree(folder / "now", folder / "whole")
    return folder


@pytest.fixture
def home(once: Path) -> Iterator[Settings]:
    """That home, as it was then and where it was."""
    shutil.rmtree(once / "now")
    shutil.copytree(once / "whole", once / "now")
    settings = Settings(home=once / "now" / "home", ledger_witness=once / "now" / "elsewhere")
    yield settings
    engine(settings.platform_db).dispose()


def work(settings: Settings) -> None:
    for n in range(3):
        events.append(settings, "ingest", f"set{n}", status="done", outputs=(f"x:{n}",))
    api_keys.create(settings.platform_db, Terms("A", ("outbreak:forecast",)), now=NOW, by="os:ana")
    for _ in range(2):
        log_writer.record(settings.platform_db, [record(time=NOW.timestamp()) for _ in range(4)])


def verified(settings: Settings, now: datetime = NOW) -> Audit:
    return audit.verify(settings, Silent(), incremental=True, now=now)


def tamper(settings: Settings, statement: str) -> None:
    with closing(sqlite3.connect(settings.home / "platform.db")) as connection:
        for what in ("update", "delete", "replace"):
            connection.execute(f"DROP TRIGGER IF EXISTS ledger_no_{what}")
        assert connection.execute(statement).rowcount
        connection.commit()


def file(settings: Settings, name: str) -> Path:
    return settings.home / "ledger" / name


def test_what_is_new_is_read_and_the_rest_is_told(home: Settings) -> None:
    first = verified(home)
    assert first.ok and first.scope.since == first.checked and not first.scope.cause, first
    before = file(home, mark.MARK).read_bytes()
    work(home)
    second = verified(home)
    assert second.ok and second.scope.since == first.checked < second.checked, second
    assert f"events 1 to {first.checked:,}" in str(second) and "--all" in str(second)
    assert file(home, mark.MARK).read_bytes() != before, "the mark goes on"
    assert verified(home).scope.since == second.checked
    assert verified(home).scope.whole == first.scope.whole, "when all was read at once, stays"
    whole = audit.verify(home, Silent())
    assert whole.ok and whole.scope.since == 0 and (whole.head, whole.time) == (
        second.head, second.time,
    )  # fmt: skip


def test_days_and_their_roots_go_on_from_the_mark(tmp_path: Path) -> None:
    settings = small_ledger.make(tmp_path / "home", 3, 4, 3)
    assert check.live(settings, Silent(), incremental=True, now=NOW).ok
    for day in range(3, 6):
        for n in range(5):
            when = small_ledger.START + timedelta(days=day, minutes=n)
            writer.append(settings, [Entry("access", f"raw:{n}")] * (1 + n % 3), now=when)
        report = check.live(settings, Silent(), incremental=True, now=NOW)
        assert report.ok and report.scope.since, report
    roots = witness.files(settings, witness.ROOTS)[1]
    roots.write_text(roots.read_text().replace('"events":', '"events":1', 1))
    report = check.live(settings, Silent(), incremental=True, now=NOW)
    assert report.what == "root forged" and "less was read first" in report.scope.cause, report


SPOILED: dict[str, tuple[Callable[[Settings], object], str]] = {
    "missing": (lambda own: file(own, mark.MARK).unlink(), "no mark"),
    "unreadable": (lambda own: file(own, mark.MARK).write_bytes(b"\xff{"), "no mark"),
    "forged": (lambda own: edit(own, "whole", "2999-01-01T00:00:00.000Z"), "no mark"),
    "of numbers that are none": (lambda own: edit(own, "seq", float("inf")), "no mark"),
    "a checkpoint": (
        lambda own: shutil.copy(witness.files(own)[0], file(own, mark.MARK)), "no mark"
    ),
    "without its replay": (lambda own: file(own, mark.REPLAY).unlink(), "not the one of the mark"),
    "with another replay": (
        lambda own: tamper_replay(own, "UPDATE recorded SET digest = 'x'"),
        "not the one of the mark",
    ),
    "another witness": (
        lambda own: add(witness.files(own)[1], b'{"seq":1}\n', first=True), "not the witness file"
    ),
}  # fmt: skip


def edit(settings: Settings, name: str, value: object) -> None:
    record = json.loads(file(settings, mark.MARK).read_bytes()) | {name: value}
    file(settings, mark.MARK).write_text(json.dumps(record, sort_keys=True, separators=(",", ":")))


def tamper_replay(settings: Settings, statement: str) -> None:
    with closing(sqlite3.connect(file(settings, mark.REPLAY))) as connection:
        assert connection.execute(statement).rowcount
        connection.commit()


def add(path: Path, line: bytes, *, first: bool = False) -> None:
    path.write_bytes(line + path.read_bytes() if first else path.read_bytes() + line)


@pytest.mark.parametrize("way", SPOILED)
def test_a_mark_that_does_not_hold_leads_to_a_check_of_everything(home: Settings, way: str) -> None:
    spoil, cause = SPOILED[way]
    spoil(home)
    tamper(home, "UPDATE ledger SET line = replace(line, 'set1', 'set9') WHERE line LIKE '%set1%'")
    report = verified(home)
    assert not report.ok and report.scope.since == 0 and cause in report.scope.cause, report
    assert cause in str(report)


def test_another_homes_mark_is_none(home: Settings, tmp_path: Path) -> None:
    other = Settings(home=tmp_path / "other")
    other.home.mkdir()
    work(other)
    assert audit.verify(other, Silent()).ok
    for name in (mark.MARK, mark.REPLAY):
        shutil.copy(file(other, name), file(home, name))
    report = verified(home)
    assert report.ok and "no mark" in report.scope.cause, report


@pytest.mark.parametrize("days", [-1, 7, 400])
def test_everything_is_read_once_a_week_and_where_the_clock_went_back(
    home: Settings, days: int
) -> None:
    assert verified(home, NOW + timedelta(days=6, hours=23)).scope.since
    report = verified(home, NOW + timedelta(days=days, minutes=days))
    assert report.ok and "was read last" in report.scope.cause, report


def test_code_that_looks_at_more_starts_anew(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mark, "of_code", lambda checks: "0" * 64)
    assert "another release" in verified(home).scope.cause


def test_a_witness_that_is_named_is_compared_whole(home: Settings) -> None:
    """Its owner kept it; what it saw of earlier events was perhaps never compared."""
    report = audit.verify(home, Silent(), also=[witness.files(home)[1]], incremental=True, now=NOW)
    assert report.ok and "were named" in report.scope.cause, report


def test_a_ledger_that_was_put_back_disagrees_with_the_mark(home: Settings) -> None:
    """Also where no witness is left; and it is told until somebody takes the mark away."""
    copy = home.home / "platform.db"
    engine(home.platform_db).dispose()
    backup = copy.read_bytes()
    work(home)
    assert verified(home).ok
    engine(home.platform_db).dispose()
    for path in home.home.glob("platform.db-*"):
        path.unlink()
    copy.write_bytes(backup)
    for path in witness.files(home):
        path.unlink()
    for _ in range(2):
        report = verified(home)
        assert (report.ok, report.what) == (False, "truncated") and report.scope.cause, report
    file(home, mark.MARK).unlink()
    assert verified(home).ok


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE keys SET role = 'auditor'", "keys"),
        ("UPDATE predictions SET payload = '{}'", "predictions"),
        ("DELETE FROM row_nonces", "keys"),
        ("UPDATE events SET subject = 'set9' WHERE seq = 1", "events"),
        ("DELETE FROM event_refs WHERE event = 1", "events"),
        ("DELETE FROM prediction_records WHERE seq = 2", "prediction_records"),
        ("INSERT INTO prediction_records SELECT -1, 'x', time, prediction_key, parameters, key_id, "
         "agency, kind, request_id FROM prediction_records WHERE seq = 2", "prediction_records"),
        ("DELETE FROM ledger WHERE seq = 3", ""),
    ],
)  # fmt: skip
def test_what_is_there_now_is_compared_whoever_read_it_before(
    home: Settings, statement: str, place: str
) -> None:
    tamper(home, statement)
    report = verified(home)
    assert not report.ok and report.scope.since == 0 and report.scope.cause, report
    assert not place or place in {fault.place for fault in report.faults}, report


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger SET line = replace(line, 'set1', 'set9') WHERE line LIKE '%set1%'",
        "UPDATE prediction_records SET agency = 'B' WHERE seq = 2",
    ],
)
def test_what_is_not_read_again_is_found_by_all_and_no_mark_hides_it_then(
    home: Settings, statement: str
) -> None:
    tamper(home, statement)
    report = verified(home)
    assert report.ok and report.scope.since, "as it says"
    assert not audit.verify(home, Silent()).ok
    report = verified(home)
    assert not report.ok and "not the one of the mark" in report.scope.cause, report


def test_answers_that_moved_to_the_lake_since_are_no_alarm(home: Settings) -> None:
    work(home)
    export.export(home, "outbreak", Silent())
    assert archive.forget(home, "outbreak", NOW + timedelta(days=1)) == 16
    report = verified(home)
    assert report.ok and report.scope.since, report
    work(home)
    report = verified(home)
    assert report.ok and report.scope.since, report
    tamper(home, "DELETE FROM prediction_records WHERE seq = 18")
    assert not verified(home).ok


def test_who_is_forgotten_since_is_no_alarm(home: Settings) -> None:
    pseudonyms.pseudonym(home, "os:ana")
    assert verified(home).ok
    erasure.forget(home, "os:ana", NOW)
    report = verified(home)
    assert report.ok and report.scope.since, report


def test_a_home_that_takes_no_mark_is_checked_all_the_same(
    home: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    file(home, mark.MARK).unlink()
    file(home, mark.MARK).mkdir()
    report = verified(home)
    assert report.ok and report.scope.cause and "mark cannot be left" in caplog.text
