"""Streams: messages of a folder are published once each, bad ones are set aside."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import BOTH_ENGINES, BOTH_ENGINES_LATER
from streams import (
    NAME,
    Crash,
    broken_rules,
    dropped,
    project,
    published,
    put,
    reading,
    readings,
)

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, TransientError, UsageError
from yupana.core.progress import Silent
from yupana.core.types import StepResult
from yupana.data.lake import delta
from yupana.data.streams import commit, spool
from yupana.orchestration.ingest import ingest
from yupana.orchestration.stream import stream


def run(lake: Settings, most: int = 1000) -> StepResult:
    return stream(lake, NAME, Silent(), most=most)


@BOTH_ENGINES_LATER
def test_files_of_a_folder_are_taken_and_published_once(tmp_path: Path, engine: str) -> None:
    lake, folder = dropped(tmp_path, engine, file="@topic", line="@offset")
    put(folder, "a.ndjson", readings(0, 30))
    put(folder, "b.json", readings(30, 5))
    put(folder, ".c.ndjson", readings(90, 5))
    first = run(lake, most=30)
    assert first.metrics["batches"] == 2
    assert first.metrics["rows"] == {"read": 35, "published": 35, "quarantined": 0}
    assert run(lake).status == "unchanged"
    assert published(lake) == dict.fromkeys(range(35), 1)
    assert [p.name for p in folder.iterdir()] == [".c.ndjson"]
    rows = delta.read(lake.table("published", NAME)).sort("measured_at")
    assert rows["file"].to_list() == ["a.ndjson"] * 30 + ["b.json"] * 5
    assert rows["line"].to_list() == [*map(str, range(1, 31)), *map(str, range(1, 6))]
    assert commit.last(lake.table("published", NAME), NAME) == 2


@BOTH_ENGINES
def test_bad_messages_are_set_aside_and_the_stream_goes_on(tmp_path: Path, engine: str) -> None:
    lake, folder = dropped(tmp_path, engine)
    soon = datetime.now(UTC) + timedelta(minutes=2)
    later = datetime.now(UTC) + timedelta(minutes=20)
    bad = {
        b"no JSON at all": "row.parsed",
        b'["a", "list"]': "row.parsed",
        b'{"station": "IT-001", "station": "IT-002"}': "row.parsed",
        b'{"station": "\\ud800"}': "row.parsed",
        b'{"level_m": NaN}': "row.parsed",
        b"\xff\xfe\x00": "row.parsed",
        b"[" * 100_000: "row.parsed",
        reading(level_m=31): "level.range",
        reading(level_m="high"): "row.parsed",
        reading(level_m=None): "level.required",
        reading(station="?"): "station.pattern",
        reading(measured_at=later.isoformat()): "measured_at.not_after_release",
    }
    put(folder, "a.json", [*bad, *readings(0, 8), reading(measured_at=soon.isoformat())])
    with pytest.raises(TerminalError, match="All that is good was published") as refused:
        run(lake)
    assert "break 'row.parsed' (the contract allows 5 %)" in str(refused.value)
    rules = broken_rules(lake)
    assert len(rules) == len(bad)
    for rule, expected in zip(rules, bad.values(), strict=True):
        assert expected in rule
    assert sum(published(lake).values()) == 9
    put(folder, "b.json", readings(8, 1))
    assert run(lake).metrics["rows"] == {"read": 1, "published": 1, "quarantined": 0}


@BOTH_ENGINES
def test_a_reading_that_comes_again_stays_out(tmp_path: Path, engine: str) -> None:
    """In a batch and after it; and one that was bad may be sent again, mended."""
    lake, folder = dropped(tmp_path, engine)
    put(folder, "a.json", [reading(level_m=99), *readings(0, 20), *readings(0, 2)])
    assert run(lake).metrics["broken"] == {"key.unique": 3, "level.range": 1}
    put(folder, "b.json", [*readings(5, 2), *readings(20, 1)])
    assert run(lake).metrics["broken"] == {"key.unique": 2}
    assert published(lake) == dict.fromkeys(range(21), 1)


def test_a_file_that_is_dropped_again_byte_by_byte_adds_nothing(tmp_path: Path) -> None:
    lake, folder = dropped(tmp_path)
    for status in ("first", "again"):
        put(folder, "a.json", readings(0, 3))
        os.utime(folder / "a.json", (1_760_000_000, 1_760_000_000))
        result = run(lake)
        assert result.metrics["rows"]["quarantined"] == (0 if status == "first" else 3)
    assert published(lake) == dict.fromkeys(range(3), 1)


def test_two_machines_cannot_publish_one_batch(tmp_path: Path, monkeypatch) -> None:
    """Each asks for the last number before either has written."""
    lake, folder = dropped(tmp_path)
    put(folder, "a.json", readings(0, 3))
    run(lake)
    real = commit._write

    def twice(*arguments: object) -> None:
        import deltalake

        stale = deltalake.DeltaTable(lake.table("published", NAME))
        real(*arguments)
        with monkeypatch.context() as patch:
            write = deltalake.write_deltalake
            patch.setattr(deltalake, "write_deltalake", lambda _, *a, **k: write(stale, *a, **k))
            real(*arguments)

    put(folder, "b.json", readings(3, 2))
    with monkeypatch.context() as patch, pytest.raises(TransientError, match="Another process"):
        patch.setattr(commit, "_write", twice)
        run(lake)
    run(lake)
    assert published(lake) == dict.fromkeys(range(5), 1)


def test_a_broker_that_is_away_is_worth_a_retry(tmp_path: Path, monkeypatch) -> None:
    from yupana.data.streams import kafka

    monkeypatch.setattr(kafka, "_ANSWER", 1.0)
    lake = project(tmp_path, {"type": "kafka", "host": "127.0.0.1:9"})
    with pytest.raises(TransientError, match="does not answer") as refused:
        run(lake)
    assert "goes on where it stopped" in refused.value.fix


def test_a_stream_is_no_file_and_a_file_is_no_stream(tmp_path: Path) -> None:
    lake, _ = dropped(tmp_path)
    with pytest.raises(UsageError, match="is a stream") as refused:
        ingest(lake, NAME, None, Silent())
    assert "yupana stream" in refused.value.fix
    with pytest.raises(UsageError, match="is no stream"):
        stream(Settings(home=tmp_path), "iquitos_population", Silent())


def test_a_stream_under_another_contract_keeps_its_rows_and_gains_a_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the change comes between a batch's commit and its end."""
    lake, folder = dropped(tmp_path)
    put(folder, "a.json", readings(0, 3))
    with monkeypatch.context() as patch, pytest.raises(Crash):
        patch.setattr(spool, "finish", lambda *_: (_ for _ in ()).throw(Crash()))
        run(lake)
    shutil.rmtree(lake.root / "expectations")
    lake, folder = dropped(tmp_path / "again", file="@topic")
    lake = Settings(root=lake.root, home=tmp_path / "home")
    put(folder, "b.json", readings(3, 2))
    run(lake)
    rows = delta.read(lake.table("published", NAME)).sort("measured_at")
    assert rows["file"].to_list() == [None] * 3 + ["b.json"] * 2
