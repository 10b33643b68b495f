"""Streams from Kafka: a message is published once, whatever happens to broker, folder or step."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import yupana
from conftest import ENGINES, engine_or_skip
from kafka_broker import Broker, broker
from streams import (
    NAME,
    Crash,
    broken_rules,
    dropped,
    from_kafka,
    published,
    put,
    reading,
    readings,
)

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.core.progress import Silent
from yupana.core.types import StepResult
from yupana.data.lake import delta
from yupana.data.streams import commit, spool
from yupana.orchestration import stream as streaming
from yupana.orchestration.stream import stream


@pytest.fixture(scope="module")
def kafka(tmp_path_factory) -> Iterator[Broker]:
    with broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running


def run(lake: Settings, most: int = 1000) -> StepResult:
    return stream(lake, NAME, Silent(), most=most)


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
    output = yupana(lake, "quarantine", NAME).stdout
    assert "  gauge.json, line 32, column level_m, rule level.range" in output
    kafka.topic("told")
    lake = from_kafka(tmp_path / "kafka", kafka, "told")
    kafka.send("told", [*readings(0, 41), b"poison\xff"])
    run(lake)
    output = yupana(lake, "quarantine", NAME).stdout
    assert "  told, partition 1, offset 20, column the whole row, rule row.parsed" in output
    assert "Send one JSON object a message" in output.replace("\n", " ")


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
    assert broken_rules(lake) == []


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
    for number, settings in enumerate([lake, on_spark, lake]):
        kafka.send("both", readings(500 + 50 * number, 50), 3)
        run(settings)
    assert published(lake) == dict.fromkeys(range(650), 1)


def lines(lake: Settings) -> list[bytes]:
    """All kept messages, by partition and offset."""
    batches = [p.read_bytes().splitlines() for p in lake.home.glob(f"landing/{NAME}/*/*.ndjson")]
    return sorted(line for batch in batches for line in batch)


@pytest.mark.parametrize("place", ["resume", "ingest", "finish", "event"])
def test_a_crash_between_two_steps_doubles_and_loses_nothing(
    tmp_path: Path, kafka: Broker, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """At the moments that a kill by chance hardly hits."""
    from yupana.data.publication import publish

    topic = f"crash-{place}"
    kafka.topic(topic)
    lake = from_kafka(tmp_path, kafka, topic)
    kafka.send(topic, readings(0, 20))

    def crash(*_: object, **__: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        if place == "resume":
            write = spool.write
            patch.setattr(spool, "write", lambda *a: write(*a) and crash())
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
    assert broken_rules(lake) == []
    assert run(lake).status == "unchanged"
    assert commit.last(lake.table("published", NAME), NAME) == 2


def test_messages_that_the_broker_deleted_unread_are_told(tmp_path: Path, kafka: Broker) -> None:
    from confluent_kafka import TopicPartition
    from confluent_kafka.admin import AdminClient

    kafka.topic("short", 1)
    lake = from_kafka(tmp_path, kafka, "short")
    kafka.send("short", readings(0, 5), 1)
    run(lake)
    kafka.send("short", readings(5, 10), 1)
    admin = AdminClient({"bootstrap.servers": kafka.address})
    end = TopicPartition("short", 0, 12)
    next(iter(admin.delete_records([end]).values())).result(30)
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
