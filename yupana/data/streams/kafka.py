"""Kafka by librdkafka, on whichever engine: partitions are read from offsets that we keep.

The group's offsets at the broker are told after a batch is on the disk, for tools that show how
far a reader is; nothing is read by them. https://github.com/confluentinc/confluent-kafka-python
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, TransientError
from yupana.data.contracts.stream_address import Address
from yupana.data.streams import login
from yupana.data.streams.message import Message, instant
from yupana.data.streams.spool import State

if TYPE_CHECKING:
    from confluent_kafka import Consumer

_ANSWER = 15.0
"""Seconds in which a broker must answer."""
_QUIET = 30.0
"""Seconds without a message, before the end of a partition, after which the broker is away."""
_AT_ONCE = 2000
_PATIENCE = 0.2


class KafkaSource:
    """One topic, all its partitions.

    Raises:
        TransientError: the broker does not answer.
        TerminalError: there is no such topic, or it was made anew.
    """

    def __init__(self, settings: Settings, name: str, address: Address) -> None:
        from confluent_kafka import Consumer

        self._address = address
        self._next: dict[int, int] = {}
        self._ends: dict[int, int] = {}
        self._lost: list[str] = []
        self._consumer: Consumer = Consumer(
            {
                "bootstrap.servers": address.hosts,
                "group.id": f"yupana-{name}",
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "enable.partition.eof": True,
                "topic.metadata.refresh.interval.ms": 60_000,
                "log_level": 0,
                **login.kafka(settings, address),
            }
        )

    def resume(self, state: State) -> None:
        ours = state.get("topic") == self._address.topic
        self._next = {int(n): offset for n, offset in state["next"].items()} if ours else {}
        if self._next:
            # For tools alone: a broker that is away then loses nothing.
            with suppress(Exception):
                self._consumer.commit(offsets=self._partitions(self._next), asynchronous=False)

    def look(self) -> None:
        self._lost, self._ends = [], {}
        for number in self._numbers():
            low, high = self._range(number)
            start = self._next.setdefault(number, low)
            patience = time.monotonic() + _ANSWER
            while start > high and time.monotonic() < patience:
                # One that was killed tells an earlier end until it has read its log again.
                time.sleep(_PATIENCE)
                low, high = self._range(number)
            if start < low:
                self._lost.append(
                    f"partition {number}, offsets {start} to {low - 1}: the broker deleted them "
                    "before they were read"
                )
                self._next[number] = start = low
            if start > high:
                raise TerminalError(
                    f"Partition {number} ends at offset {high}, and {start} was read before: the "
                    "topic was made anew.",
                    where=str(self._address),
                    fix="Give the new topic a name of its own, in Kafka and as `physicalName` in "
                    "the contract: a topic of another name is read from its beginning.",
                )
            if start < high:
                self._ends[number] = high

    def lines(self, most: int) -> Iterator[bytes]:
        open_ends = {n: end for n, end in self._ends.items() if self._next[n] < end}
        if not open_ends:
            return
        self._consumer.assign(self._partitions({n: self._next[n] for n in open_ends}))
        count, quiet = 0, 0.0
        while open_ends and count < most:
            remaining = sum(end - self._next[n] for n, end in open_ends.items())
            size = min(_AT_ONCE, most - count, remaining)
            messages = self._consumer.consume(size, timeout=_PATIENCE)
            quiet = 0.0 if messages else quiet + _PATIENCE
            if quiet >= _QUIET:
                raise self._away("no message came")
            for message in messages:
                number, offset = int(message.partition() or 0), int(message.offset() or 0)
                if number not in open_ends:
                    continue
                if self._at_end(message) or offset >= open_ends[number]:
                    # A transaction's marks have offsets and are no messages, and one that is open
                    # ends a partition early.
                    self._next[number] = min(offset, open_ends.pop(number))
                    continue
                yield self._line(message)
                count += 1
                self._next[number] = offset + 1
                if offset + 1 >= open_ends[number]:
                    del open_ends[number]
        self._consumer.unassign()

    def state(self) -> State:
        offsets = {str(n): offset for n, offset in sorted(self._next.items())}
        return {"topic": self._address.topic, "next": offsets}

    def faults(self) -> list[str]:
        return self._lost

    def close(self) -> None:
        self._consumer.close()

    def _numbers(self) -> list[int]:
        from confluent_kafka import KafkaException

        try:
            topics = self._consumer.list_topics(self._address.topic, timeout=_ANSWER).topics
        except KafkaException as error:
            raise self._away(str(error.args[0])) from error
        topic = topics[self._address.topic]
        if topic.error or not topic.partitions:
            raise TerminalError(
                f"The broker has no topic '{self._address.topic}': {topic.error}.",
                where=str(self._address),
                fix="Mend `physicalName` of the contract's schema, or make the topic.",
            )
        return sorted(topic.partitions)

    def _range(self, number: int) -> tuple[int, int]:
        from confluent_kafka import KafkaException

        try:
            partition = self._partitions({number: 0})[0]
            low, high = self._consumer.get_watermark_offsets(partition, timeout=_ANSWER)
        except KafkaException as error:
            raise self._away(str(error.args[0])) from error
        return low, high

    def _at_end(self, message: Any) -> bool:
        from confluent_kafka import KafkaError

        error = message.error()
        if error is None:
            return False
        if error.code() == KafkaError._PARTITION_EOF:
            return True
        raise self._away(str(error))

    def _line(self, message: Any) -> bytes:
        milliseconds = message.timestamp()[1]
        return Message(
            topic=message.topic(),
            partition=message.partition(),
            offset=message.offset(),
            time=instant(max(milliseconds, 0)),
            key=message.key(),
            value=message.value(),
        ).line()

    def _partitions(self, offsets: dict[int, int]) -> list[Any]:
        from confluent_kafka import TopicPartition

        return [TopicPartition(self._address.topic, n, offset) for n, offset in offsets.items()]

    def _away(self, why: str, detail: str = "") -> TransientError:
        return TransientError(
            f"The Kafka broker does not answer: {why}.",
            where=str(self._address),
            detail=detail,
            fix="Look whether it runs and can be reached from here, and at YUPANA_STREAM_LOGIN; "
            "the stream goes on where it stopped.",
        )
