"""Where a stream comes from, as a contract's location says it.

`kafka://broker:9092,other:9092/topic`, `mqtt://broker:1883/filter` (`mqtts://` with TLS), or
`drop:<folder>`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from yupana.core.errors import UsageError

Kind = Literal["kafka", "mqtt", "drop"]
_FORM = re.compile(r"(kafka|mqtts?)://([^/@\s]+)/(\S+)|drop:(\S+)")
_HOST = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?::([0-9]{1,5}))?")
FIELDS = ("topic", "partition", "offset", "time", "key")
"""What a contract may read of a message beside its value, as `physicalName: "@topic"`."""
_PORTS = {("kafka", False): 9092, ("mqtt", False): 1883, ("mqtt", True): 8883}


@dataclass(frozen=True)
class Address:
    """A stream's place.

    Attributes:
        hosts: `host:port` of the brokers, joined by commas; empty for a folder.
        topic: Kafka's topic, MQTT's filter, or the folder.
        tls: the broker is spoken to by TLS.
    """

    kind: Kind
    hosts: str
    topic: str
    tls: bool = False

    def __str__(self) -> str:
        if self.kind == "drop":
            return f"drop:{self.topic}"
        return f"{self.kind}{'s' * self.tls}://{self.hosts}/{self.topic}"

    @property
    def brokers(self) -> tuple[tuple[str, int], ...]:
        """Host and port of each broker; none of a folder."""
        matches = (_HOST.fullmatch(host) for host in self.hosts.split(","))
        port = _PORTS.get((self.kind, self.tls), 0)
        return tuple((m[1].lower(), int(m[2] or port)) for m in matches if m)

    def folder(self, root: Path) -> Path:
        """The folder of a file drop, in the project."""
        return root / self.topic


def is_stream(location: str) -> bool:
    """Whether a contract's location is a stream's."""
    return location.startswith(("kafka:", "mqtt:", "mqtts:", "drop:"))


def parse(location: str) -> Address:
    """The parts of a stream's location.

    Raises:
        UsageError: it is written in another form, names a host that is none, or names a user:
            credentials are settings.
    """
    match = _FORM.fullmatch(location)
    if match is None:
        raise UsageError(
            "The stream's address has a form that is not known.",
            where=re.sub(r"//[^/]*@", "//…@", location),
            fix="Write kafka://broker:9092/topic, mqtt://broker:1883/station/+/level or "
            "drop:inbox/folder. User and password are in the file that YUPANA_STREAM_LOGIN names.",
        )
    scheme, hosts, topic, folder = match.groups()
    if folder:
        return Address("drop", "", folder)
    place = Address("kafka" if scheme == "kafka" else "mqtt", hosts, topic, scheme == "mqtts")
    _require_hosts(place)
    return place


def _require_hosts(place: Address) -> None:
    names = place.hosts.split(",")
    ports = (port for _, port in place.brokers)
    if len(place.brokers) < len(names) or not all(0 < port < 65_536 for port in ports):
        raise UsageError(
            "The stream's address names a broker that is no host and port.",
            where=str(place),
            fix="Write a name or an IPv4 address, and after a colon a port of 1 to 65535.",
        )
    if place.kind == "mqtt" and len(names) > 1:
        raise UsageError(
            "The stream's address names several MQTT brokers.",
            where=str(place),
            fix="Write one: mqtts://broker:8883/station/+/level. A cluster has one name for all.",
        )
