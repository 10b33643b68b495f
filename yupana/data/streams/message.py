"""A message as it is kept: one line of JSON with what the broker knows of it, bytes unchanged.

    {"topic": "rivers", "partition": 0, "offset": 7, "time": "2026-01-04T10:00:00.000Z",
     "key": "ITAYA", "value": "{\\"level\\": 1.5}"}

A key or value that is not UTF-8 stands as `key_base64`, `value_base64`.
"""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from yupana.config.settings import Settings
from yupana.data.files import landing

Line = tuple[str, int]
"""A message in the landing zone: hash of its batch, and number of its line there, from 1."""


@dataclass(frozen=True)
class Message:
    """One message.

    Attributes:
        topic: the topic, or the name of the file that it came in.
        partition: Kafka's; None elsewhere.
        offset: Kafka's; in a file the number of the line; None in MQTT.
        time: when the broker, the bridge or the folder got it (UTC).
        value: its bytes; None where Kafka has none (a tombstone).
    """

    topic: str
    partition: int | None
    offset: int | None
    time: datetime
    key: bytes | None
    value: bytes | None

    def line(self) -> bytes:
        """The line that is kept of it, with its end."""
        fields: dict[str, Any] = {
            "topic": self.topic,
            "partition": self.partition,
            "offset": self.offset,
            "time": utc_text(self.time),
            **_text("key", self.key),
            **_text("value", self.value),
        }
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def utc_text(time: datetime) -> str:
    """An instant in UTC, to the millisecond."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant(milliseconds: float) -> datetime:
    """The instant so many milliseconds after 1970 (UTC)."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _text(name: str, value: bytes | None) -> dict[str, str | None]:
    if value is None:
        return {name: None}
    try:
        return {name: value.decode("utf-8")}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(value).decode("ascii")}


def place(line: bytes, hidden: Mapping[str, str]) -> str:
    """Where a kept message was, for a person: topic, partition and offset, or file and line.

    Args:
        hidden: what stands in place of a field that nobody may see, by its name.
    """
    fields = json.loads(line)
    fields |= {name: text for name, text in hidden.items() if fields.get(name) is not None}
    if fields["partition"] is not None:
        return f"{fields['topic']}, partition {fields['partition']}, offset {fields['offset']}"
    if fields["offset"] is not None:
        return f"{fields['topic']}, line {fields['offset']}"
    return f"{fields['topic']}, received {fields['time']}"


def places(
    settings: Settings, name: str, lines: Iterable[Line], hidden: Mapping[str, str]
) -> dict[Line, str]:
    """The place of each message whose batch is still in the landing zone.

    Args:
        hidden: as `place`.
    """
    numbers_by_file: dict[str, set[int]] = defaultdict(set)
    for sha256, number in lines:
        numbers_by_file[sha256].add(number)
    by_line: dict[Line, str] = {}
    for sha256, numbers in numbers_by_file.items():
        batch = landing.find(settings, name, sha256)
        if batch is None:
            continue
        with Path(batch.path).open("rb") as stream:
            for number, line in enumerate(stream, 1):
                if number in numbers:
                    by_line[(sha256, number)] = place(line, hidden)
    return by_line
