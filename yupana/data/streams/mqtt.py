"""MQTT's bridge: messages go to files in this home, and only then is the broker told that they
came.

The session is kept by the broker while the bridge is away (MQTT 5.0, 3.1.2.4 and 4.4): what was
not acknowledged is sent again, so that a message may come twice and none is lost; the contract's
key leaves one. https://docs.oasis-open.org/mqtt/mqtt/v5.0/mqtt-v5.0.html
"""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, TransientError
from yupana.core.progress import Progress
from yupana.data.contracts.stream_address import Address
from yupana.data.files import landing
from yupana.data.streams import login
from yupana.data.streams.message import Message

if TYPE_CHECKING:
    import paho.mqtt.client as paho

_ANSWER = 15.0
"""Seconds in which a broker must answer."""
_AT_ONCE = 10_000
_FOR_EVER = 0xFFFFFFFF


def folder(settings: Settings, name: str) -> Path:
    """Where the bridge leaves files of kept messages."""
    return settings.home / "streams" / name / "incoming"


class Bridge:
    """One subscription, from a broker into a folder.

    Raises:
        TransientError: the broker does not answer.
        TerminalError: it refuses the login or the subscription.
    """

    def __init__(
        self, settings: Settings, name: str, address: Address, progress: Progress
    ) -> None:
        self._folder, self._address, self._progress = folder(settings, name), address, progress
        self._arrivals: queue.Queue[tuple[Message, int, int]] = queue.Queue()
        self._answers: queue.Queue[tuple[str, Any]] = queue.Queue()
        self._refusal: TerminalError | None = None
        self._client = self._client_of(settings, name)

    def run(self, stopped: Callable[[], bool], quiet: float | None = None) -> int:
        """Write what comes until `stopped`, or for `quiet` seconds nothing came.

        Returns:
            How many messages were written.
        """
        count = 0
        self._connect()
        try:
            last = time.monotonic()
            while not stopped():
                if self._refusal:
                    raise self._refusal
                if group := self._group():
                    count += self._keep(group)
                    last = time.monotonic()
                elif quiet is not None and time.monotonic() - last > quiet:
                    break
        finally:
            self._client.disconnect()
            self._client.loop_stop()
        return count

    def _client_of(self, settings: Settings, name: str) -> paho.Client:
        import paho.mqtt.client as paho
        from paho.mqtt.enums import CallbackAPIVersion

        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"yupana-{name}",
            protocol=paho.MQTTv5,
            manual_ack=True,
        )
        if credentials := login.credentials(settings, self._address):
            client.username_pw_set(*credentials)
        if self._address.tls:
            client.tls_set(ca_certs=str(settings.stream_ca) if settings.stream_ca else None)
        client.reconnect_delay_set(1, 30)
        client.on_connect = self._connected
        client.on_subscribe = lambda *event: self._subscribed(event[3])
        client.on_disconnect = lambda *event: self._progress.say(f"disconnected: {event[3]}")
        client.on_message = self._received
        return client

    def _connect(self) -> None:
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        self._folder.mkdir(parents=True, exist_ok=True)
        ((host, port),) = self._address.brokers
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = _FOR_EVER
        # Else a broker waits after its own default (often 20) until they are acknowledged.
        properties.ReceiveMaximum = 65_535
        try:
            self._client.connect(host, port, clean_start=False, properties=properties)
        except OSError as error:
            raise self._away(str(error)) from error
        self._client.loop_start()
        try:
            self._answers.get(timeout=_ANSWER)
        except queue.Empty as error:
            self._client.loop_stop()
            raise self._away("it took the connection and said nothing") from error

    def _connected(self, client: Any, _data: Any, _flags: Any, reason: Any, _props: Any) -> None:
        if reason.is_failure:
            self._refuse(f"The broker refuses the connection: {reason}.")
            client.disconnect()
        else:
            self._progress.say(f"connected to {self._address}")
            client.subscribe(self._address.topic, qos=1)

    def _subscribed(self, reasons: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            self._refuse(f"The broker refuses the subscription: {reasons[0]}.")
        self._answers.put(("subscribed", reasons))

    def _refuse(self, what: str) -> None:
        self._refusal = TerminalError(
            what,
            where=str(self._address),
            fix="Mend YUPANA_STREAM_LOGIN (a file of lines `host user:password`), the contract's "
            "filter, or the broker's rules.",
        )
        self._answers.put(("refused", what))

    def _received(self, _client: Any, _data: Any, message: Any) -> None:
        record = Message(message.topic, None, None, datetime.now(UTC), None, message.payload)
        self._arrivals.put((record, message.mid, message.qos))

    def _group(self) -> list[tuple[Message, int, int]]:
        """What came since the last time; waits a moment for the first."""
        try:
            group = [self._arrivals.get(timeout=0.2)]
        except queue.Empty:
            return []
        while len(group) < _AT_ONCE and not self._arrivals.empty():
            group.append(self._arrivals.get())
        return group

    def _keep(self, group: list[tuple[Message, int, int]]) -> int:
        """Put messages on the disk, whole and under a name, then tell the broker."""
        path = self._folder / f"{time.time_ns()}.ndjson"
        content = b"".join(message.line() for message, _, _ in group)
        with landing.room(self._folder, len(content)):
            partial = path.with_name(f".{path.name}")
            with partial.open("wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            partial.rename(path)
            landing.sync(self._folder)
        for _, mid, qos in group:
            self._client.ack(mid, qos)
        return len(group)

    def _away(self, why: str) -> TransientError:
        return TransientError(
            f"The MQTT broker does not answer: {why}.",
            where=str(self._address),
            fix="Look whether it runs and can be reached from here; it keeps messages for the "
            "bridge meanwhile.",
        )
