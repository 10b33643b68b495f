"""The writer of the prediction log: groups, policies, and a disk that takes nothing more."""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa
from answers import given, told
from waiting import wait_until

from yupana.governance import prediction_rows, predictions, spool
from yupana.governance.database import engine
from yupana.governance.recorder import LogAwayError, Recorder

NOBODY = "postgresql+psycopg://nobody@127.0.0.1:1/none"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'platform.db'}"


@contextmanager
def writing(url: str, tmp_path: Path, durable: bool = True) -> Iterator[Recorder]:
    made = Recorder(url, durable=durable, spool=tmp_path / "spool" / "outbreak.jsonl")
    assert made._started.wait(10)
    try:
        yield made
    finally:
        made.close()


def _ids(url: str) -> list[str]:
    return [row["prediction_id"] for row in predictions.logged(url, "outbreak")]


def _spooled(tmp_path: Path) -> int:
    # A file that was sent is removed while one looks.
    with suppress(FileNotFoundError):
        return sum(p.stat().st_size for p in (tmp_path / "spool").glob("*"))
    return -1


def test_what_record_returned_for_is_in_the_database(url: str, tmp_path: Path) -> None:
    async def ask(made: Recorder) -> None:
        for _ in range(20):
            one = given()
            await made.record([one])
            assert predictions.found(url, one.prediction_id), "already committed"

    with writing(url, tmp_path) as made:
        assert made.ready()
        asyncio.run(ask(made))
    assert not made.ready()
    with pytest.raises(LogAwayError):
        asyncio.run(made.record([given()]))


def test_all_that_wait_share_a_commit(url: str, tmp_path: Path) -> None:
    commits = 0

    def count(_: object) -> None:
        nonlocal commits
        commits += 1

    class Counting(prediction_rows.Inserter):
        def write(self, forecasts, answers, subject) -> None:
            count(None)
            super().write(forecasts, answers, subject)

    async def ask(made: Recorder) -> None:
        await asyncio.gather(*(made.record([given()]) for _ in range(500)))

    original, prediction_rows.Inserter = prediction_rows.Inserter, Counting
    try:
        with writing(url, tmp_path) as made:
            commits = 0
            asyncio.run(ask(made))
            assert commits <= 5
    finally:
        prediction_rows.Inserter = original
    assert len(_ids(url)) == 500


def test_who_need_not_wait_is_written_within_a_second(url: str, tmp_path: Path) -> None:
    async def ask(made: Recorder) -> list[str]:
        one = given()
        start = time.monotonic()
        await made.record([one])
        assert time.monotonic() - start < 0.05
        end = time.monotonic() + 1
        while not _ids(url) and time.monotonic() < end:
            await asyncio.sleep(0.05)
        assert _ids(url) == [one.prediction_id]
        two = given()
        await made.record([two])
        return [one.prediction_id, two.prediction_id]

    with writing(url, tmp_path, durable=False) as made:
        ids = asyncio.run(ask(made))
    assert _ids(url) == ids, "closing writes what waits"


def test_a_locked_database_is_told_within_two_seconds(url: str, tmp_path: Path) -> None:
    with writing(url, tmp_path) as made:
        asyncio.run(made.record([given()]))
        with engine(url, predictions.METADATA).connect() as other:
            other.exec_driver_sql("BEGIN EXCLUSIVE")
            start = time.monotonic()
            with pytest.raises(LogAwayError):
                asyncio.run(made.record([given()]))
            assert time.monotonic() - start < 2
            other.rollback()


def test_a_full_database_is_told_and_forgiven(url: str, tmp_path: Path) -> None:
    made_engine = engine(url, predictions.METADATA)
    most = 60

    @sa.event.listens_for(made_engine, "checkout")
    def limit(connection: sa.engine.interfaces.DBAPIConnection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count={most}")  # type: ignore[attr-defined]

    async def fill(made: Recorder) -> list[str]:
        told_ids = []
        for _ in range(200):
            group = [given(told(f"{n:06}", x="x" * 100)) for n in range(10)]
            try:
                await made.record(group)
            except LogAwayError:
                return told_ids
            told_ids += [one.prediction_id for one in group]
        raise AssertionError("it never was full")

    with writing(url, tmp_path) as made:
        ids = asyncio.run(fill(made))
        most = 100_000
        wait_until(made.ready)
        one = given()
        asyncio.run(made.record([one]))
    assert ids and set(ids) | {one.prediction_id} <= set(_ids(url))


def test_a_database_that_is_away_refuses_or_spools(url: str, tmp_path: Path) -> None:
    with writing(NOBODY, tmp_path) as made:
        assert not made.ready()
        with pytest.raises(LogAwayError):
            asyncio.run(made.record([given()]))
    assert not (tmp_path / "spool").exists()

    answers = [given(told(f"{n % 3:06}")) for n in range(30)]
    with writing(NOBODY, tmp_path, durable=False) as made:
        assert made.ready(), "its answers are kept on this disk"
        asyncio.run(made.record(answers[:20]))
        wait_until(lambda: _spooled(tmp_path) > 0)
        asyncio.run(made.record(answers[20:]))
    # A start with the database back, and then one more with nothing left to do.
    for _ in range(2):
        with writing(url, tmp_path):
            wait_until(lambda: _spooled(tmp_path) == 0)
        assert sorted(_ids(url)) == sorted(one.prediction_id for one in answers)
        assert _spooled(tmp_path) == 0


def test_a_line_that_a_kill_cut_short_is_passed_over(url: str, tmp_path: Path) -> None:
    one = given()
    with writing(NOBODY, tmp_path, durable=False) as made:
        asyncio.run(made.record([one]))
    (left,) = (tmp_path / "spool").glob("*")
    left.write_bytes(left.read_bytes() + b'["answer", ["half')
    with writing(url, tmp_path):
        wait_until(lambda: _ids(url))
    assert _ids(url) == [one.prediction_id]


@pytest.mark.parametrize("cause", ["disk", "bound"])
def test_when_no_disk_takes_answers_none_are_let_in(
    tmp_path: Path, cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit on the size of files stands for a disk that is full: the system refuses to write."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    async def ask(made: Recorder) -> None:
        await made.record([given() for _ in range(300)])
        while made.ready():
            await asyncio.sleep(0.05)
        with pytest.raises(LogAwayError):
            await made.record([given()])

    with writing(NOBODY, tmp_path, durable=False) as made:
        if cause == "disk":
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
        else:
            monkeypatch.setattr(spool, "MOST_BYTES", 20_000)
        try:
            asyncio.run(ask(made))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            monkeypatch.undo()
        assert _spooled(tmp_path) == 0, "nothing half"
        # What was let in before is kept, and goes to the disk when there is room.
        wait_until(lambda: made.ready() and _spooled(tmp_path) > 20_000)
