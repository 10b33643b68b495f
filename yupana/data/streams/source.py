"""What a stream's source does: tell what is there, hand it out, and let it go once it is kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from yupana.config.settings import Settings
from yupana.core.progress import Progress
from yupana.data import engine
from yupana.data.contracts import stream_address
from yupana.data.streams.spool import State


class Source(Protocol):
    """A broker or a folder that one process at a time reads."""

    def resume(self, state: State) -> None:
        """Go on after a batch: what it holds is on this disk, and may be forgotten there."""

    def look(self) -> None:
        """Take for the end what is there now.

        Raises:
            TransientError: the broker does not answer.
        """

    def lines(self, most: int) -> Iterator[bytes]:
        """Kept messages from where the source stands to that end, `most` or a few more;
        of a folder, whole files: one alone may have more."""

    def state(self) -> State:
        """Where the source goes on after the lines that it handed out."""

    def faults(self) -> list[str]:
        """What a person must know: messages that were lost before they were read."""

    def close(self) -> None:
        """Leave the broker."""


def open_source(settings: Settings, name: str, location: str, progress: Progress) -> Source:
    """The source of a stream; MQTT's is the folder that its bridge writes to, and Kafka is read
    by Spark's own connector where Spark is the engine."""
    from yupana.data.streams import drop, mqtt

    place = stream_address.parse(location)
    if place.kind == "kafka":
        if engine.select(settings).kind != "sail":
            from yupana.data.streams import spark_kafka

            if spark_kafka.has_connector(settings, progress):
                return spark_kafka.SparkKafkaSource(settings, name, place, progress)
        from yupana.data.streams.kafka import KafkaSource

        return KafkaSource(settings, name, place)
    if place.kind == "mqtt":
        return drop.FolderSource(mqtt.folder(settings, name), progress, from_bridge=True)
    return drop.FolderSource(place.folder(settings.root), progress)
