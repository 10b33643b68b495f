"""The event log moves from its file into the database and back, each line as it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from command import yupana as command
from platform_db import postgres

from tests import event_rows
from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.core.progress import Silent
from yupana.database import schema
from yupana.database.engine import engine, unchecked
from yupana.ledger import check, entries
from yupana.ledger.entries import Entry
from yupana.lineage import events

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EARLIER = [
    '{"step": "older"}',  # from before the ledger
    '{"id": "a", "time": "2026-01-02T00:00:00.000+00:00", "step": "land", "subject": "ñ", '
    '"status": "done", "inputs": [], "outputs": ["raw:1", "raw:1"], "facts": {"odd": "\\u0000"}}',
    '{"id":"b","time":"2026-01-03T00:00:00.000+00:00","step":"ingest","subject":"ñ",'
    '"status":"done","inputs":["raw:1"],"outputs":["delta:published/x@0"],"facts":{"n":NaN}}',
]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as (url, _):
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """A home of schema 0004: two steps in the ledger, and one from before it."""
    settings = Settings(home=tmp_path / "home")
    if request.param == "postgresql":
        address = request.getfixturevalue("server")
        with unchecked(address).begin() as connection:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
        settings = Settings(home=tmp_path / "home", platform_url=address)
    settings.home.mkdir()
    engine.cache_clear()
    lines = [line.encode() for line in EARLIER]
    (settings.home / "events.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    schema.upgrade(unchecked(settings.platform_db), "0004")
    first = {"lines": 1, "sha256": hashlib.sha256(lines[0] + b"\n").hexdigest()}
    steps = [Entry("step", "ñ", {"sha256": hashlib.sha256(line).hexdigest()}) for line in lines[1:]]
    before = Entry("step", "events.jsonl", {"before": first})
    with unchecked(settings.platform_db).begin() as connection:
        entries.write(connection, [before, *steps], NOON)
    return settings


def upgrade(settings: Settings) -> None:
    schema.upgrade(unchecked(settings.platform_db), home=settings.home)


def test_every_line_is_taken_in_as_it_was_and_the_ledger_still_vouches_for_it(
    home: Settings,
) -> None:
    upgrade(home)
    assert [body for _, body in events.numbered(home.events)] == EARLIER
    assert events.producer(home.events, "raw:1")["id"] == "a"
    last = events.last_done(home.events, "ingest", "ñ")
    assert last and last["outputs"] == ["delta:published/x@0"]
    events.append(home, "features", "x", status="done", outputs=("delta:features/x@0",))
    report = check.live(home, Silent())
    assert report.ok, report
    event_rows.clear(home)
    assert not check.live(home, Silent()).ok


def test_a_log_from_before_the_ledger_is_recorded_as_it_is_when_it_moves(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    (tmp_path / "events.jsonl").write_text("\n".join(EARLIER) + "\n", encoding="utf-8")
    schema.upgrade(unchecked(settings.platform_db), "0004")
    upgrade(settings)
    assert check.live(settings, Silent()).ok
    events.append(settings, "features", "x", status="done")
    assert check.live(settings, Silent()).ok
    event_rows.add(settings, {"step": "forged"})
    assert not check.live(settings, Silent()).ok


def test_down_writes_the_file_anew_and_up_again_takes_in_what_came_since(home: Settings) -> None:
    upgrade(home)
    events.append(home, "features", "x", status="done", outputs=("delta:features/x@0",))
    bodies = [body for _, body in events.numbered(home.events)]
    schema.downgrade(unchecked(home.platform_db), "0004", home=home.home)
    lines = (home.home / "events.jsonl").read_text("utf-8").splitlines()
    assert lines == bodies and lines[: len(EARLIER)] == EARLIER
    with unchecked(home.platform_db).connect() as connection:
        assert not sa.inspect(connection).has_table("events")
    upgrade(home)
    assert [body for _, body in events.numbered(home.events)] == bodies
    assert events.producer(home.events, "delta:features/x@0")["step"] == "features"
    assert check.live(home, Silent()).ok


@pytest.mark.parametrize("written", [0, 40, None])
def test_a_line_that_a_killed_step_left_half_written_is_taken_in_whole(
    home: Settings, written: int | None
) -> None:
    log, last = home.home / "events.jsonl", EARLIER[-1].encode()
    whole = log.read_bytes()
    log.write_bytes(whole.removesuffix(last + b"\n") + (last + b"\n")[:written])
    (home.home / "events.pending").write_bytes(last + b"\n")
    upgrade(home)
    assert [body for _, body in events.numbered(home.events)] == EARLIER
    assert check.live(home, Silent()).ok


def test_what_was_put_aside_and_never_recorded_is_left_out(home: Settings) -> None:
    (home.home / "events.pending").write_text('{"step": "never"}\n')
    upgrade(home)
    assert [body for _, body in events.numbered(home.events)] == EARLIER


def test_a_torn_line_is_named_and_nothing_was_changed(home: Settings) -> None:
    log = home.home / "events.jsonl"
    log.write_bytes(log.read_bytes() + b'{"id": "to')
    with pytest.raises(TerminalError, match="not JSON") as caught:
        upgrade(home)
    assert caught.value.where == f"{log}, line 4" and "delete that line" in caught.value.fix
    with unchecked(home.platform_db).connect() as connection:
        assert schema.read(connection).revision == "0004"


def test_the_commands_know_the_home(home: Settings) -> None:
    assert command(home, "database", "upgrade").code == 0
    assert events.last_number(home.events) == len(EARLIER)
    (home.home / "events.jsonl").unlink()
    assert command(home, "database", "downgrade", "0004").code == 0
    assert json.loads((home.home / "events.jsonl").read_bytes().splitlines()[1])["id"] == "a"


def test_a_server_whose_home_nobody_names_has_no_way_down_with_events(home: Settings) -> None:
    upgrade(home)
    if home.platform_url:
        with pytest.raises(UsageError, match="nobody said where"):
            schema.downgrade(unchecked(home.platform_db), "0004")
    else:
        schema.downgrade(unchecked(home.platform_db), "0004")
        assert (home.home / "events.jsonl").exists(), "beside the database"
