"""MQTT: the bridge keeps each message on the disk before it tells the broker that it came."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import yupana
from mqtt_broker import Mosquitto, mosquitto
from streams import NAME, broken_rules, project, published, readings
from waiting import wait_until

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, TransientError, UsageError
from yupana.core.progress import Silent
from yupana.data.lake import delta
from yupana.data.streams import mqtt
from yupana.orchestration.stream import bridge, stream


@pytest.fixture(scope="module")
def broker(tmp_path_factory) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path_factory.mktemp("mqtt")) as running:
        yield running


def subscribed(tmp_path: Path, broker: Mosquitto, root: str, **columns: str) -> Settings:
    server = {"type": "custom", "location": f"mqtt://{broker.address}/{root}/+/level"}
    return project(tmp_path, server, **columns)


def bridged(lake: Settings, quiet: float = 0.6) -> int:
    return bridge(lake, NAME, Silent(), stopped=lambda: False, quiet=quiet)


def files(lake: Settings) -> list[Path]:
    return [p for p in mqtt.folder(lake, NAME).iterdir() if p.name[0] != "."]


def test_messages_go_by_files_to_the_table(tmp_path: Path, broker: Mosquitto) -> None:
    """Also those that came while the bridge was away, and one that is no JSON."""
    lake = subscribed(tmp_path, broker, "a", topic="@topic")
    assert bridged(lake, 0) == 0
    broker.send({"a/north/level": readings(0, 60), "a/south/level": [*readings(60, 40), b"\xff"]})
    broker.send({"a/north/rain": readings(900, 1)})
    assert bridged(lake) == 101
    result = stream(lake, NAME, Silent())
    assert result.metrics["rows"] == {"read": 101, "published": 100, "quarantined": 1}
    assert published(lake) == dict.fromkeys(range(100), 1)
    assert not files(lake)
    topics = delta.read(lake.table("published", NAME))["topic"].value_counts()
    assert dict(topics.iter_rows()) == {"a/north/level": 60, "a/south/level": 40}
    output = yupana(lake, "quarantine", NAME).stdout
    assert "  a/south/level, received 20" in output and "rule row.parsed" in output


def test_what_was_not_written_is_sent_again(
    tmp_path: Path, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what was written but not acknowledged comes twice: the key leaves one."""
    lake = subscribed(tmp_path, broker, "b")
    assert bridged(lake, 0) == 0
    broker.send({"b/x/level": readings(0, 30)})
    keep = mqtt.Bridge._keep

    def no_room(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(TransientError, match="disk is full"):
        patch.setattr(mqtt.os, "fsync", no_room)
        bridged(lake)
    assert not files(lake)

    def unconfirmed(self: mqtt.Bridge, group: list) -> int:
        monkeypatch.setattr(self._client, "ack", lambda *_: None)
        return keep(self, group)

    with monkeypatch.context() as patch:
        patch.setattr(mqtt.Bridge, "_keep", unconfirmed)
        assert bridged(lake) == 30
    assert bridged(lake) == 30
    assert bridged(lake) == 0
    result = stream(lake, NAME, Silent())
    assert result.metrics["rows"] == {"read": 60, "published": 30, "quarantined": 30}
    assert published(lake) == dict.fromkeys(range(30), 1)
    assert broken_rules(lake) == [["key.unique"]] * 30


def test_a_broker_that_restarts_is_found_again(tmp_path: Path) -> None:
    with mosquitto(tmp_path / "broker") as broker:
        lake = subscribed(tmp_path, broker, "c")
        assert bridged(lake, 0) == 0
        ended, counts = threading.Event(), []
        work = threading.Thread(
            target=lambda: counts.append(bridge(lake, NAME, Silent(), stopped=ended.is_set))
        )
        work.start()
        try:
            broker.send({"c/x/level": readings(0, 20)})
            wait_until(lambda: files(lake))
            broker.kill(signal.SIGTERM)
            broker.start()
            broker.send({"c/x/level": readings(20, 20)})
            wait_until(lambda: sum(p.read_bytes().count(b"\n") for p in files(lake)) >= 40)
        finally:
            ended.set()
            work.join()
    stream(lake, NAME, Silent())
    assert published(lake) == dict.fromkeys(range(40), 1)


def test_the_login_is_a_file_and_never_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with mosquitto(tmp_path / "broker", "station:s3cr3t") as broker:
        lake = subscribed(tmp_path, broker, "d")
        with pytest.raises(TerminalError, match="refuses the connection"):
            bridged(lake)
        login = tmp_path / "login"
        settings = Settings(root=lake.root, home=lake.home, stream_login=login)
        with pytest.raises(UsageError, match="cannot be used"):
            bridged(settings)
        login.write_text("127.0.0.1 station:s3cr3t\n")
        assert bridged(settings, 0.2) == 0
        login.write_text("broker.example station:s3cr3t\n")
        with pytest.raises(TerminalError, match="refuses the connection"):
            bridged(settings)
    content = b"".join(p.read_bytes() for p in lake.home.rglob("*") if p.is_file())
    assert b"s3cr3t" not in content and "s3cr3t" not in caplog.text


def test_a_broker_that_is_away_is_worth_a_retry(tmp_path: Path) -> None:
    lake = project(tmp_path, {"type": "custom", "location": "mqtt://127.0.0.1:9/a"})
    with pytest.raises(TransientError, match="does not answer"):
        bridged(lake)
