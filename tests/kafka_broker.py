"""A Kafka broker in one JVM, controller and all, for tests and benchmarks: its JARs come from
Maven once (`python tests/kafka_broker.py`) and lie in the cache."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from waiting import wait_until

from yupana.config.settings import settings
from yupana.core import ports
from yupana.core.hashing import files_sha256

VERSION = "4.3.1"
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>pe.yupana</groupId><artifactId>broker</artifactId><version>1</version><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
<version>{VERSION}</version></dependency></dependencies></project>"""


def jars() -> Path:
    """Folder of the broker's JARs."""
    return settings().cache / f"kafka-{VERSION}"


def fetch() -> None:
    """Bring the JARs into the cache, if they are not there."""
    if jars().exists():
        return
    if shutil.which("mvn") is None:
        sys.exit("a broker's JARs come by Maven, which is not here")
    jars().parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=jars().parent) as scratch:
        pom, out = Path(scratch) / "pom.xml", Path(scratch) / "jars"
        pom.write_text(POM)
        copy = ["dependency:copy-dependencies", "-DincludeScope=runtime"]
        command = ["mvn", "-q", "-B", "-f", str(pom), *copy, f"-DoutputDirectory={out}"]
        subprocess.run(command, check=True)
        out.rename(jars())


class Broker:
    """A broker that can be killed and started again with what it held."""

    def __init__(self, folder: Path) -> None:
        if not jars().exists() or shutil.which("java") is None:
            pytest.skip("no Kafka broker here: needs Java, and `python tests/kafka_broker.py`")
        self.folder, self.port = folder, ports.free()
        folder.mkdir(parents=True, exist_ok=True)
        self._properties = folder / "server.properties"
        self._properties.write_text(_properties(folder, self.port, ports.free()))
        # 16 bytes in base64, as Kafka writes the identity of a cluster.
        cluster = "AAAAAAAAAAAAAAAAAAAAAQ"
        process = self._java("kafka.tools.StorageTool", "format", "-t", cluster, "-c")
        assert process.wait() == 0, (folder / "log").read_text()
        self.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = self._java("kafka.Kafka")
        wait_until(self._answers, 60, 0.1)

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def topic(self, name: str, partitions: int = 2, **config: str) -> None:
        from confluent_kafka.admin import AdminClient, NewTopic

        admin = AdminClient({"bootstrap.servers": self.address})
        admin.create_topics([NewTopic(name, partitions, 1, config=config)])[name].result(30)

    def send(self, topic: str, values: list[bytes | None], partitions: int = 2) -> None:
        """Send messages round the partitions; each is confirmed when this returns."""
        from confluent_kafka import Producer

        producer = Producer(
            {"bootstrap.servers": self.address, "enable.idempotence": True, "linger.ms": 5,
             "queue.buffering.max.messages": 2_000_000}
        )  # fmt: skip
        for number, value in enumerate(values):
            producer.produce(topic, value, key=str(number), partition=number % partitions)
            producer.poll(0)
        assert producer.flush(60) == 0

    def _answers(self) -> bool:
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient

        assert self._process.poll() is None, (self.folder / "log").read_text()[-3000:]
        try:
            admin = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
            return bool(admin.list_topics(timeout=1).brokers)
        except KafkaException:
            return False

    def _java(self, main: str, *words: str) -> subprocess.Popen[bytes]:
        java = ["java", "-Xmx384m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [*java, "-cp", f"{jars()}/*", main, *words, str(self._properties)],
                stdout=log, stderr=log, cwd=self.folder,
            )  # fmt: skip


def _properties(folder: Path, port: int, controller: int) -> str:
    ones = [
        "offsets.topic.replication.factor", "offsets.topic.num.partitions",
        "transaction.state.log.replication.factor", "transaction.state.log.min.isr",
        "transaction.state.log.num.partitions", "node.id",
    ]  # fmt: skip
    return "\n".join(
        [
            "process.roles=broker,controller",
            f"controller.quorum.voters=1@127.0.0.1:{controller}",
            f"listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
            f"advertised.listeners=PLAINTEXT://127.0.0.1:{port}",
            "controller.listener.names=CONTROLLER",
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            f"log.dirs={folder / 'data'}",
            # One that was killed may come back at once.
            "broker.session.timeout.ms=2000",
            "broker.heartbeat.interval.ms=500",
            "group.initial.rebalance.delay.ms=0",
            "auto.create.topics.enable=false",
            *(f"{name}=1" for name in ones),
        ]
    )


@contextmanager
def broker(folder: Path) -> Iterator[Broker]:
    """A broker that ends with the block."""
    running = Broker(folder)
    try:
        yield running
    finally:
        running.kill()


if __name__ == "__main__":
    fetch()
    print(f"{jars()} ({files_sha256(jars().glob('*.jar'))[:12]})", file=sys.stderr)
