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

    def folder(self, root: Path) -> Path:
        """The folder of a file drop, in the project."""
        return root / self.topic


def is_stream(location: str) -> bool:
    """Whether a contract's location is a stream's."""
    return location.startswith(("kafka:", "mqtt:", "mqtts:", "drop:"))


def parse(location: str) -> Address:
    """The parts of a stream's location.

    Raises:
        UsageError: it is written in another form, or names a user: credentials are settings.
    """
    found = _FORM.fullmatch(location)
    if found is None:
        raise UsageError(
            "The stream's address has a form that is not known.",
            where=re.sub(r"//[^/]*@", "//…@", location),
            fix="Write kafka://broker:9092/topic, mqtt://broker:1883/station/+/level or "
            "drop:inbox/folder. User and password are in the file that YUPANA_STREAM_LOGIN names.",
        )
    scheme, hosts, topic, folder = found.groups()
    if folder:
        return Address("drop", "", folder)
    return Address("kafka" if scheme == "kafka" else "mqtt", hosts, topic, scheme == "mqtts")
