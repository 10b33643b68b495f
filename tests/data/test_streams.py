"""Streams: messages of a folder and of Kafka are published once each, bad ones are set aside."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command import yupana
from conftest import BOTH_ENGINES, ENGINES, engine_or_skip
from kafka_broker import Broker, broker
from streams import (
    NAME,
    dropped,
    from_kafka,
    project,
    published,
    put,
    reading,
    readings,
    set_aside,
)

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, TransientError, UsageError
from yupana.core.progress import Silent
from yupana.core.types import StepResult
from yupana.data import delta
from yupana.data.streams import commit, spool
from yupana.orchestration import stream as streaming
from yupana.orchestration.ingest import ingest
from yupana.orchestration.stream import stream


@pytest.fixture(scope="module")
def kafka(tmp_path_factory) -> Iterator[Broker]:
    with broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running


def run(lake: Settings, most: int = 1000) -> StepResult:
    return stream(lake, NAME, Silent(), most=most)


@BOTH_ENGINES
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
    rules = set_aside(lake)
    assert len(rules) == len(bad)
    for found, expected in zip(rules, bad.values(), strict=True):
        assert expected in found
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


@pytest.mark.parametrize("engine", ENGINES)
def test_a_transaction_counts_once_it_is_committed(
    tmp_path: Path, kafka: Broker, engine: str
) -> None:
    """One that is open is left for a later run, one that was aborted never was."""
    from confluent_kafka import Producer

    topic = f"ledger-{engine_or_skip(engine)}"
    kafka.topic(topic, 1)
    lake = from_kafka(tmp_path, kafka, topic)
    lake = Settings(root=lake.root, home=lake.home, engine=engine)
    producer = Producer({"bootstrap.servers": kafka.address, "transactional.id": topic})
    producer.init_transactions(30)

    def write(first: int, count: int) -> None:
        producer.begin_transaction()
        for value in readings(first, count):
            producer.produce(topic, value, partition=0)
        producer.flush()

    write(0, 3)
    producer.commit_transaction()
    write(3, 2)
    producer.abort_transaction()
    write(5, 4)
    run(lake)
    assert published(lake) == dict.fromkeys(range(3), 1)
    producer.commit_transaction()
    run(lake)
    assert published(lake) == dict.fromkeys([*range(3), *range(5, 9)], 1)
    assert run(lake).status == "unchanged"


def test_quarantine_names_file_and_line_or_partition_and_offset(
    tmp_path: Path, kafka: Broker
) -> None:
    lake, folder = dropped(tmp_path / "drop")
    put(folder, "gauge.json", [*readings(0, 30), b"", reading(level_m=99)])
    run(lake)
    said = yupana(lake, "quarantine", NAME).stdout
    assert "  gauge.json, line 32, column level_m, rule level.range" in said
    kafka.topic("told")
    lake = from_kafka(tmp_path / "kafka", kafka, "told")
    kafka.send("told", [*readings(0, 41), b"poison\xff"])
    run(lake)
    said = yupana(lake, "quarantine", NAME).stdout
    assert "  told, partition 1, offset 20, column the whole row, rule row.parsed" in said
    assert "Send one JSON object a message" in said.replace("\n", " ")


def test_kafka_is_read_once_from_where_the_last_batch_ended(tmp_path: Path, kafka: Broker) -> None:
    kafka.topic("rivers", 3)
    columns = {"partition": "@partition", "offset": "@offset", "sent": "@key"}
    lake = from_kafka(tmp_path, kafka, "rivers", **columns)
    assert run(lake).outputs == ()
    kafka.send("rivers", readings(0, 700), 3)
    assert run(lake, most=300).metrics["batches"] == 3
    kafka.send("rivers", readings(700, 50), 3)
    assert run(lake).metrics["rows"] == {"read": 50, "published": 50, "quarantined": 0}
    assert run(lake).status == "unchanged"
    assert published(lake) == dict.fromkeys(range(750), 1)
    rows = delta.read(lake.table("published", NAME))
    assert {(r["partition"], r["offset"]) for r in rows.iter_rows(named=True)} == {
        (str(p), str(o)) for p, count in enumerate((251, 250, 249)) for o in range(count)
    }


def test_a_stream_whose_folder_is_lost_goes_on_from_its_table(
    tmp_path: Path, kafka: Broker
) -> None:
    kafka.topic("kept")
    lake = from_kafka(tmp_path, kafka, "kept")
    kafka.send("kept", readings(0, 10))
    run(lake)
    shutil.rmtree(spool.folder(lake, NAME))
    kafka.send("kept", readings(10, 5))
    assert run(lake).metrics["rows"] == {"read": 5, "published": 5, "quarantined": 0}
    assert commit.last(lake.table("published", NAME), NAME) == 2
    assert set_aside(lake) == []


@pytest.mark.spark
def test_by_spark_and_by_sail_it_is_the_same_stream(tmp_path: Path, kafka: Broker) -> None:
    """Spark's own connector reads, then librdkafka goes on, then Spark's again."""
    engine_or_skip("spark")
    kafka.topic("both", 3)
    lake = from_kafka(tmp_path, kafka, "both", partition="@partition", sent="@key", at="@time")
    on_spark = Settings(root=lake.root, home=lake.home, engine="spark")
    kafka.send("both", [*readings(0, 500), b"\xff", None], 3)
    assert run(on_spark, most=300).metrics["broken"]["row.parsed"] == 2
    whole = Settings(root=lake.root, home=tmp_path / "other")
    run(whole)
    assert lines(lake) == lines(whole)
    for number, chosen in enumerate([lake, on_spark, lake]):
        kafka.send("both", readings(500 + 50 * number, 50), 3)
        run(chosen)
    assert published(lake) == dict.fromkeys(range(650), 1)


def lines(lake: Settings) -> list[bytes]:
    """All kept messages, by partition and offset."""
    kept = [p.read_bytes().splitlines() for p in lake.home.glob(f"landing/{NAME}/*/*.ndjson")]
    return sorted(line for batch in kept for line in batch)


class Crash(BaseException):
    """Not even `except Exception` stops it."""


@pytest.mark.parametrize("place", ["resume", "ingest", "finish", "event"])
def test_a_crash_between_two_steps_doubles_and_loses_nothing(
    tmp_path: Path, kafka: Broker, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """At the moments that a kill by chance hardly hits."""
    from yupana.data import publish

    topic = f"crash-{place}"
    kafka.topic(topic)
    lake = from_kafka(tmp_path, kafka, topic)
    kafka.send(topic, readings(0, 20))

    def crash(*_: object, **__: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        if place == "resume":
            written = spool.write
            patch.setattr(spool, "write", lambda *a: written(*a) and crash())
        elif place == "ingest":
            patch.setattr(streaming, "ingest_batch", crash)
        elif place == "finish":
            patch.setattr(spool, "finish", crash)
        else:
            real = commit.append
            patch.setattr(publish.commit, "append", lambda *a: real(*a) and crash())
        with pytest.raises(Crash):
            run(lake)
    kafka.send(topic, readings(20, 4))
    run(lake)
    assert published(lake) == dict.fromkeys(range(24), 1)
    assert set_aside(lake) == []
    assert run(lake).status == "unchanged"
    assert commit.last(lake.table("published", NAME), NAME) == 2


def test_two_machines_cannot_publish_one_batch(tmp_path: Path, monkeypatch) -> None:
    """Each asks for the last number before either has written."""
    lake, folder = dropped(tmp_path)
    put(folder, "a.json", readings(0, 3))
    run(lake)
    real = commit._write

    def twice(*given: object) -> None:
        import deltalake

        stale = deltalake.DeltaTable(lake.table("published", NAME))
        real(*given)
        with monkeypatch.context() as patch:
            written = deltalake.write_deltalake
            patch.setattr(deltalake, "write_deltalake", lambda _, *a, **k: written(stale, *a, **k))
            real(*given)

    put(folder, "b.json", readings(3, 2))
    with monkeypatch.context() as patch, pytest.raises(TransientError, match="Another process"):
        patch.setattr(commit, "_write", twice)
        run(lake)
    run(lake)
    assert published(lake) == dict.fromkeys(range(5), 1)


def test_messages_that_the_broker_deleted_unread_are_told(tmp_path: Path, kafka: Broker) -> None:
    from confluent_kafka import TopicPartition
    from confluent_kafka.admin import AdminClient

    kafka.topic("short", 1)
    lake = from_kafka(tmp_path, kafka, "short")
    kafka.send("short", readings(0, 5), 1)
    run(lake)
    kafka.send("short", readings(5, 10), 1)
    admin = AdminClient({"bootstrap.servers": kafka.address})
    gone = TopicPartition("short", 0, 12)
    next(iter(admin.delete_records([gone]).values())).result(30)
    with pytest.raises(TerminalError, match="lost: partition 0, offsets 5 to 11"):
        run(lake)
    assert published(lake) == dict.fromkeys([*range(5), *range(12, 15)], 1)
    assert run(lake).status == "unchanged"


def test_a_topic_that_was_made_anew_stops_with_what_to_do(
    tmp_path: Path, kafka: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = from_kafka(tmp_path, kafka, "nowhere")
    with pytest.raises(TerminalError, match="no topic 'nowhere'"):
        run(lake)
    kafka.topic("nowhere", 1)
    kafka.send("nowhere", readings(0, 2), 1)
    spool.write(lake, NAME, [b"{}\n"], lambda: {"topic": "nowhere", "next": {"0": 9}})
    spool.finish(lake, NAME, spool.newest(lake, NAME))
    monkeypatch.setattr("yupana.data.streams.kafka._ANSWER", 1.0)
    with pytest.raises(TerminalError, match="the topic was made anew"):
        run(lake)
    kafka.topic("somewhere", 1)
    kafka.send("somewhere", readings(0, 2), 1)
    path = lake.root / "expectations" / NAME / "contract.yaml"
    path.write_text(path.read_text().replace("nowhere", "somewhere"))
    run(lake)
    assert published(lake) == {0: 1, 1: 1}


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
