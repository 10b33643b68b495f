"""The writer of the prediction log: groups, policies, and a disk that takes nothing more."""

from __future__ import annotations

import asyncio
import json
import resource
import time
from contextlib import suppress
from inspect import Parameter, signature
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from answers import prediction
from recorders import ids_of, record, writing
from waiting import wait_until

from yupana.config.settings import Settings
from yupana.core import spec
from yupana.database.engine import engine
from yupana.predictions import log_writer, prediction_log, service_log, spool
from yupana.predictions.recorder import WATCH_SECONDS, LogAwayError, Recorder

NOBODY = "postgresql+psycopg://nobody@127.0.0.1:1/none"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'platform.db'}"


def _spooled(tmp_path: Path) -> int:
    # A file that was sent is removed while one looks.
    with suppress(FileNotFoundError):
        return sum(p.stat().st_size for p in (tmp_path / "spool").glob("*"))
    return -1


def test_what_record_returned_for_is_in_the_database(url: str, tmp_path: Path) -> None:
    async def ask(recorder: Recorder) -> None:
        for _ in range(20):
            one = record()
            await recorder.record([one])
            assert prediction_log.by_id(url, one.prediction_id, None), "already committed"

    with writing(url, tmp_path) as recorder:
        assert recorder.ready()
        asyncio.run(ask(recorder))
    assert not recorder.ready()
    with pytest.raises(LogAwayError):
        asyncio.run(recorder.record([record()]))


def test_all_that_wait_share_a_commit(url: str, tmp_path: Path) -> None:
    commits = 0

    def count(_: object) -> None:
        nonlocal commits
        commits += 1

    class Counting(log_writer.Inserter):
        def write(self, *rows: Any, **options: Any) -> None:
            count(None)
            super().write(*rows, **options)

    async def ask(recorder: Recorder) -> None:
        await asyncio.gather(*(recorder.record([record()]) for _ in range(500)))

    original, log_writer.Inserter = log_writer.Inserter, Counting
    try:
        with writing(url, tmp_path) as recorder:
            commits = 0
            asyncio.run(ask(recorder))
            assert commits <= 5
    finally:
        log_writer.Inserter = original
    assert len(ids_of(url)) == 500


def test_who_need_not_wait_is_written_within_a_second(url: str, tmp_path: Path) -> None:
    async def ask(recorder: Recorder) -> list[str]:
        one = record()
        start = time.monotonic()
        await recorder.record([one])
        assert time.monotonic() - start < 0.05
        end = time.monotonic() + 1
        while not ids_of(url) and time.monotonic() < end:
            await asyncio.sleep(0.05)
        assert ids_of(url) == [one.prediction_id]
        two = record()
        await recorder.record([two])
        return [one.prediction_id, two.prediction_id]

    with writing(url, tmp_path, durable=False) as recorder:
        ids = asyncio.run(ask(recorder))
    assert ids_of(url) == ids, "closing writes what waits"


def test_a_locked_database_is_told_within_two_seconds(url: str, tmp_path: Path) -> None:
    with writing(url, tmp_path) as recorder:
        asyncio.run(recorder.record([record()]))
        with engine(url).connect() as other:
            other.exec_driver_sql("BEGIN EXCLUSIVE")
            start = time.monotonic()
            with pytest.raises(LogAwayError):
                asyncio.run(recorder.record([record()]))
            assert time.monotonic() - start < 2
            other.rollback()


def test_a_full_database_is_told_and_forgiven(url: str, tmp_path: Path) -> None:
    made_engine = engine(url)
    most = 90

    @sa.event.listens_for(made_engine, "checkout")
    def limit(connection: sa.engine.interfaces.DBAPIConnection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count={most}")  # type: ignore[attr-defined]

    async def fill(recorder: Recorder) -> list[str]:
        prediction_ids = []
        for _ in range(200):
            group = [record(prediction(f"{n:06}", x="x" * 100)) for n in range(10)]
            try:
                await recorder.record(group)
            except LogAwayError:
                return prediction_ids
            prediction_ids += [one.prediction_id for one in group]
        raise AssertionError("it never was full")

    with writing(url, tmp_path) as recorder:
        ids = asyncio.run(fill(recorder))
        most = 100_000
        wait_until(recorder.ready)
        one = record()
        asyncio.run(recorder.record([one]))
    assert ids and set(ids) | {one.prediction_id} <= set(ids_of(url))


def test_a_database_that_is_away_refuses_or_spools(url: str, tmp_path: Path) -> None:
    with writing(NOBODY, tmp_path) as recorder:
        assert not recorder.ready()
        with pytest.raises(LogAwayError):
            asyncio.run(recorder.record([record()]))
    assert not (tmp_path / "spool").exists()

    answers = [record(prediction(f"{n % 3:06}")) for n in range(30)]
    with writing(NOBODY, tmp_path, durable=False) as recorder:
        assert recorder.ready(), "its answers are kept on this disk"
        asyncio.run(recorder.record(answers[:20]))
        wait_until(lambda: _spooled(tmp_path) > 0)
        asyncio.run(recorder.record(answers[20:]))
    # A start with the database back, and then one more with nothing left to do.
    for _ in range(2):
        with writing(url, tmp_path):
            wait_until(lambda: _spooled(tmp_path) == 0)
        assert sorted(ids_of(url)) == sorted(one.prediction_id for one in answers)
        assert _spooled(tmp_path) == 0


def test_a_line_that_a_kill_cut_short_is_passed_over(url: str, tmp_path: Path) -> None:
    one = record()
    with writing(NOBODY, tmp_path, durable=False) as recorder:
        asyncio.run(recorder.record([one]))
    (spool_file,) = (tmp_path / "spool").glob("*")
    spool_file.write_bytes(spool_file.read_bytes() + b'["answer", ["half')
    with writing(url, tmp_path):
        wait_until(lambda: ids_of(url))
    assert ids_of(url) == [one.prediction_id]


@pytest.mark.parametrize("cause", ["disk", "bound"])
def test_when_no_disk_takes_answers_none_are_let_in(
    tmp_path: Path, cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit on the size of files stands for a disk that is full: the system refuses to write."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    async def ask(recorder: Recorder) -> None:
        await recorder.record([record() for _ in range(300)])
        while recorder.ready():
            await asyncio.sleep(0.05)
        with pytest.raises(LogAwayError):
            await recorder.record([record()])

    with writing(NOBODY, tmp_path, durable=False) as recorder:
        if cause == "disk":
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
        else:
            monkeypatch.setattr(spool, "MOST_BYTES", 20_000)
        try:
            asyncio.run(ask(recorder))
            # It tries again and again: what the system takes of an attempt is cut off at once.
            wait_until(lambda: _spooled(tmp_path) == 0)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            monkeypatch.undo()
        # What was let in before is kept, and goes to the disk when there is room.
        wait_until(lambda: recorder.ready() and _spooled(tmp_path) > 20_000)


def test_rows_that_an_earlier_release_put_aside_come_home(url: str, tmp_path: Path) -> None:
    """They were of weekly forecasts alone."""
    weeks = [{"horizon": 1, "week_ending": "2022-01-08", "median": 1.5}]
    lines = [
        ["forecast", ["f1", "outbreak", "3", "outbreak:3", "delta:features/x@2", "160101",
                      "2022-01-01", '{"rain_mm": 12.5}', json.dumps(weeks), "[]"]],
        ["answer", ["p1", 1_772_366_400.25, "f1", 4, "2022-01-05", "k1", "A", "answer", "r1"]],
    ]  # fmt: skip
    spool_file = tmp_path / "spool" / "outbreak-0123456789ab.jsonl"
    spool_file.parent.mkdir()
    spool_file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    with writing(url, tmp_path):
        wait_until(lambda: ids_of(url))
    entry = prediction_log.by_id(url, "p1", "outbreak")
    assert entry and (entry.entity, entry.payload) == ("160101", {"weeks": weeks})
    assert entry.parameters == {"as_of": "2022-01-05", "horizon": 4}
    assert (entry.features, entry.basis.data_as_of) == ({"rain_mm": 12.5}, "2022-01-01")
    assert not spool_file.exists()


def test_the_witness_is_asked_now_and_then_and_at_the_end(url: str, tmp_path: Path) -> None:
    """Not after each group: its look at its file keeps the next one waiting."""
    calls: list[tuple[float, float]] = []

    def look(every: float) -> bool:
        calls.append((time.monotonic(), every))
        return not every

    recorder = Recorder(url, durable=True, spool=tmp_path / "outbreak.jsonl", witness=look)

    async def ask() -> None:
        end = time.monotonic() + 1
        while time.monotonic() < end:
            await recorder.record([record()])

    assert recorder._started.wait(10)
    asyncio.run(ask())
    recorder.close()
    times = [moment for moment, every in calls if every]
    assert len(times) >= 2, "records that are not witnessed are asked about again"
    assert min(b - a for a, b in pairwise(times)) >= WATCH_SECONDS
    assert calls[-1][1] == 0, "the last records are witnessed at once"


@pytest.mark.parametrize(("log", "durable"), [("durable", True), ("best-effort", False)])
def test_the_spec_says_whether_an_answer_waits_for_its_record(
    tmp_path: Path, log: str, durable: bool
) -> None:
    """With its database away, a durable log refuses; another keeps the record on its disk."""
    away = Settings(home=tmp_path, platform_url=NOBODY)
    name = "outbreak"
    recorder = service_log.recorder(away, spec.load(name).model_copy(update={"log": log}))
    assert recorder._started.wait(10) and recorder.ready() is not durable
    try:
        if durable:
            with pytest.raises(LogAwayError):
                asyncio.run(recorder.record([record()]))
        else:
            asyncio.run(recorder.record([record()]))
    finally:
        recorder.close()
    assert len(list((away.home / "spool").glob(f"{name}-*"))) == (not durable)


def test_nothing_that_is_recorded_goes_without_a_witness() -> None:
    """No hook of safety has a default that does nothing."""
    assert signature(Recorder).parameters["witness"].default is Parameter.empty
