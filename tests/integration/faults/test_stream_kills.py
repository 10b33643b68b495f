"""Each part of a stream is killed (-9) again and again: the table has each row sent, once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka_broker import Broker, broker
from mqtt_broker import Mosquitto, mosquitto
from streams import NAME, broken_rules, from_kafka, project, published, readings
from waiting import wait_until

from yupana.config.settings import Settings
from yupana.core.progress import Silent
from yupana.data.streams import mqtt, spool
from yupana.orchestration.stream import bridge, stream

# Words of the progress line with which each phase of a batch begins.
PHASES = ["on this disk", "read ", "stage ", "audit ", "quarantine", "publish"]
FEW_OR_MANY = pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.long)])


@pytest.fixture(scope="module")
def kafka(tmp_path_factory) -> Iterator[Broker]:
    with broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture
def hivemind(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path / "broker") as running:
        yield running


def start(lake: Settings, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "yupana.cli.main", *words],
        env=lake.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def kill(child: subprocess.Popen[str]) -> None:
    assert child.poll() is None, f"it was over before it could be killed: {child.stderr.read()}"
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    child.stderr.close()


def wait_for_words(child: subprocess.Popen[str], words: str) -> None:
    for line in child.stderr:
        if words in line:
            return
    pytest.fail(f"it ended ({child.wait()}) before '{words}'")


@FEW_OR_MANY
def test_the_consumer_is_killed_while_it_reads(tmp_path: Path, kafka: Broker, kills: int) -> None:
    topic, dice, sent, hits = f"reads-{kills}", random.Random(kills), 0, 0
    kafka.topic(topic)
    lake = from_kafka(tmp_path, kafka, topic)
    home = spool.folder(lake, NAME)
    while hits < kills:
        if not spool.waiting(lake, NAME):
            kafka.send(topic, readings(sent, 20_000))
            sent += 20_000
        else:
            # It was quicker than the last kill.
            stream(lake, NAME, Silent())
            continue
        child = start(lake, "stream", NAME, "--most", str(sent))
        wait_until(lambda: list(home.glob(".partial.*")), 30, 0.001)
        time.sleep(dice.uniform(0, 0.2))
        kill(child)
        hits += not spool.waiting(lake, NAME)
    stream(lake, NAME, Silent(), most=sent)
    assert published(lake) == dict.fromkeys(range(sent), 1)
    assert broken_rules(lake) == []


@FEW_OR_MANY
def test_a_batch_is_killed_in_each_phase(tmp_path: Path, kafka: Broker, kills: int) -> None:
    topic, dice, sent = f"phases-{kills}", random.Random(kills), 0
    kafka.topic(topic)
    lake = from_kafka(tmp_path, kafka, topic)
    for number in range(kills):
        kafka.send(topic, readings(sent, 300))
        sent += 300
        child = start(lake, "stream", NAME, "--most", "200")
        # The first batch of a run, or a later one, which begins while that one is warm.
        for _ in range(dice.choice([1, 1, 2])):
            wait_for_words(child, PHASES[(number + 4 * (kills < 6)) % len(PHASES)])
        time.sleep(dice.uniform(0, 0.12))
        kill(child)
    stream(lake, NAME, Silent())
    assert published(lake) == dict.fromkeys(range(sent), 1)
    assert broken_rules(lake) == []


@FEW_OR_MANY
def test_the_bridge_is_killed_while_messages_come(
    tmp_path: Path, hivemind: Mosquitto, kills: int
) -> None:
    lake = project(
        tmp_path, {"type": "custom", "location": f"mqtt://{hivemind.address}/gauge/#"}
    )
    dice, sent, over = random.Random(kills), 0, threading.Event()
    bridge(lake, NAME, Silent(), stopped=lambda: False, quiet=0)

    def send() -> None:
        nonlocal sent
        while not over.is_set():
            hivemind.send({"gauge/x": readings(sent, 100)})
            sent += 100

    sender = threading.Thread(target=send)
    sender.start()
    try:
        for _ in range(kills):
            child = start(lake, "bridge", NAME)
            wait_for_words(child, "connected")
            time.sleep(dice.uniform(0, 0.6))
            kill(child)
    finally:
        over.set()
        sender.join()
    bridge(lake, NAME, Silent(), stopped=lambda: False, quiet=1.0)
    assert not list(mqtt.folder(lake, NAME).glob("..*"))
    stream(lake, NAME, Silent())
    assert sent and published(lake) == dict.fromkeys(range(sent), 1)
    assert all(rules == ["key.unique"] for rules in broken_rules(lake))


@pytest.mark.parametrize("kills", [1, pytest.param(20, marks=pytest.mark.long)])
def test_the_broker_is_killed_and_the_stream_goes_on(tmp_path: Path, kills: int) -> None:
    """And a stream that follows ends its batch when it is told to stop."""
    with broker(tmp_path / "kafka") as kafka:
        kafka.topic("rivers")
        lake = from_kafka(tmp_path, kafka, "rivers")
        log, sent = tmp_path / "log", 250
        command = [sys.executable, "-m", "yupana.cli.main", "stream", NAME]
        with log.open("w") as out:
            child = subprocess.Popen(
                [*command, "--follow", "--every", "0.5", "--most", "100"],
                env=lake.environment(), stdout=out, stderr=out,
            )  # fmt: skip
        kafka.send("rivers", readings(0, sent))
        wait_until(lambda: "publish" in log.read_text(), 60)
        for _ in range(kills):
            kafka.kill()
            kafka.start()
            kafka.send("rivers", readings(sent, 250))
            sent += 250
        try:
            wait_until(lambda: sum(published(lake).values()) == sent, 120, 0.2)
        finally:
            child.send_signal(signal.SIGTERM)
            ended = child.wait(30)
    assert ended == 0, log.read_text()
    assert published(lake) == dict.fromkeys(range(sent), 1)
    assert broken_rules(lake) == []
