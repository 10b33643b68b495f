"""Kafka by Spark's own connector, where Spark is the engine: the same offsets, the same batches.

A batch query over a range of offsets, not a streaming query: the range lies in our batch's record
and in the table's commit, so that no checkpoint folder stands beside them, and the messages pass
through this process, which cuts them before the engine as it does files.
https://spark.apache.org/docs/latest/streaming/structured-streaming-kafka-integration.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.core.progress import Progress
from yupana.data import engine
from yupana.data.contracts.stream_address import Address
from yupana.data.streams import login
from yupana.data.streams.kafka import KafkaSource
from yupana.data.streams.message import Message, instant

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame


def has_connector(settings: Settings, progress: Progress) -> bool:
    """Whether the engine has Spark's Kafka connector; a server elsewhere is asked."""
    if engine.select(settings).kind == "spark":
        return True
    options = {"subscribe": "any", "kafka.bootstrap.servers": "127.0.0.1:9"}
    session = engine.session(settings, progress)
    try:
        # The columns are told without asking a broker.
        session.read.format("kafka").options(**options).load().isLocal()
    except Exception:
        progress.say(f"{engine.select(settings)} has no Kafka connector: librdkafka reads")
        return False
    return True


class SparkKafkaSource(KafkaSource):
    """One topic, all its partitions; where they begin and end is asked of the broker as there."""

    def __init__(
        self, settings: Settings, name: str, address: Address, progress: Progress
    ) -> None:
        super().__init__(settings, name, address)
        self._settings, self._progress = settings, progress

    def lines(self, most: int) -> Iterator[bytes]:
        until = self._share(most)
        if not until:
            return
        try:
            table = self._range_of(until).toArrow()
        except Exception as error:
            raise self._away("Spark could not read it", str(error)[:300]) from error
        order = [("partition", "ascending"), ("offset", "ascending")]
        for batch in table.sort_by(order).to_batches():
            yield from _lines(batch)
        self._next.update(until)

    def _share(self, most: int) -> dict[int, int]:
        """Where each partition's part of a batch ends: by how much waits there, as Spark's
        `maxOffsetsPerTrigger` shares it."""
        waits = {n: end - self._next[n] for n, end in self._ends.items() if self._next[n] < end}
        part = min(1.0, most / sum(waits.values())) if waits else 1.0
        return {n: self._next[n] + max(1, int(count * part)) for n, count in waits.items()}

    def _range_of(self, until: dict[int, int]) -> DataFrame:
        from pyspark.sql import functions as f

        topic = self._address.topic
        session = engine.session(self._settings, self._progress)
        reader = session.read.format("kafka").options(
            assign=json.dumps({topic: sorted(until)}),
            startingOffsets=json.dumps({topic: {str(n): self._next[n] for n in until}}),
            endingOffsets=json.dumps({topic: {str(n): end for n, end in until.items()}}),
            **{"kafka.bootstrap.servers": self._address.hosts},
            **{"kafka.isolation.level": "read_committed"},
            **login.spark_kafka(self._settings, self._address),
        )
        time = f.unix_millis("timestamp").alias("time")
        return reader.load().select("topic", "partition", "offset", time, "key", "value")


def _lines(batch: pa.RecordBatch) -> Iterator[bytes]:
    rows: list[dict[str, Any]] = batch.to_pylist()
    for row in rows:
        yield Message(**{**row, "time": instant(max(row["time"], 0))}).line()
