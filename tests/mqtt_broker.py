"""Mosquitto on a free port, for tests and benchmarks; it keeps what it holds when it is killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from waiting import wait_until

from yupana.core import ports

# Debian puts it where only root looks.
PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"


class Mosquitto:
    """A broker; with a `login` (user:password) it lets nobody else in.

    Args:
        safe: it writes all that it holds to its disk after each message, so that a kill loses
            nothing; what that costs grows with what it holds.
    """

    def __init__(self, folder: Path, login: str = "", *, safe: bool = True) -> None:
        program = shutil.which("mosquitto", path=PATH)
        if program is None:
            pytest.skip("no MQTT broker here: apt install mosquitto")
        folder.mkdir(parents=True, exist_ok=True)
        self.port, self._folder = ports.free(), folder
        lines = [
            f"listener {self.port} 127.0.0.1",
            "persistence true",
            f"persistence_location {folder}/",
            f"autosave_interval {1 if safe else 0}",
            "autosave_on_changes true",
            "max_queued_messages 0",
            f"user {os.environ.get('USER', 'root')}",
        ]
        if login:
            user, _, password = login.partition(":")
            passwords = folder / "passwords"
            make = shutil.which("mosquitto_passwd", path=PATH)
            subprocess.run([str(make), "-b", "-c", str(passwords), user, password], check=True)
            lines.append(f"password_file {passwords}")
        else:
            lines.append("allow_anonymous true")
        conf = folder / "mosquitto.conf"
        conf.write_text("\n".join(lines) + "\n")
        self._command = [program, "-c", str(conf)]
        self.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        wait_until(lambda: ports.answers(self.port))

    def kill(self, number: int = signal.SIGKILL) -> None:
        self._process.send_signal(number)
        self._process.wait()

    def send(self, messages: dict[str, list[bytes]]) -> None:
        """Send messages by topic; each is confirmed (QoS 1) when this returns."""
        import paho.mqtt.client as paho
        from paho.mqtt.enums import CallbackAPIVersion

        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.max_inflight_messages_set(1000)
        client.max_queued_messages_set(0)
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        receipts = [client.publish(topic, m, qos=1) for topic, ms in messages.items() for m in ms]
        for message in receipts:
            message.wait_for_publish(30)
        client.disconnect()
        client.loop_stop()


@contextmanager
def mosquitto(folder: Path, login: str = "", *, safe: bool = True) -> Iterator[Mosquitto]:
    """A broker that ends with the block."""
    running = Mosquitto(folder, login, safe=safe)
    try:
        yield running
    finally:
        running.kill()
