"""Where lineage goes: a server by HTTP, a file; both by OpenLineage's own transports."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from openlineage.client.event_v2 import RunEvent
from openlineage.client.transport.file import FileConfig, FileTransport
from openlineage.client.transport.http import ApiKeyTokenProvider, HttpConfig, HttpTransport

from yupana.config.settings import Settings
from yupana.core.errors import TransientError, UsageError

TIMEOUT = 10.0
_NOT_TAKEN = (400, 413, 422)
"""Answers of a server that will never take this very event."""


class RefusedError(Exception):
    """The server read an event and will not have it."""


class Target:
    """One receiver.

    Attributes:
        label: its address without a password; the cursor is kept under it.
    """

    def __init__(self, label: str, transport: HttpTransport | FileTransport) -> None:
        self.label, self._transport = label, transport

    def take(self, event: RunEvent) -> None:
        """Hand one event over, and wait until it is taken.

        Raises:
            TransientError: the receiver is away, or refuses us.
            RefusedError: it refuses this event.
        """
        try:
            self._transport.emit(event)
        # Requests' errors are OSErrors; the file transport has RuntimeError alone.
        except (OSError, RuntimeError) as error:
            status = getattr(getattr(error, "response", None), "status_code", None)
            if status in _NOT_TAKEN:
                raise RefusedError(f"{self.label} answered {status}") from error
            reason = f"it answered {status}" if status else type(error).__name__
            raise TransientError(
                f"Lineage was not taken: {reason}.",
                where=self.label,
                fix="Nothing is lost: what waits is sent after the next step, or by "
                "`yupana lineage send`.",
            ) from error


def of_url(address: str, key: Path | None = None) -> Target:
    """A server's root address, such as http://marquez:5000, and the file with its key.

    Raises:
        UsageError: it is no address, or the key's file is not there.
    """
    if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname:
        raise UsageError(
            f"'{address}' is no address of a server.",
            where="YUPANA_OPENLINEAGE_URL",
            fix="Give http://host:port; of a file, set YUPANA_OPENLINEAGE_FILE.",
        )
    config = HttpConfig(url=address, timeout=TIMEOUT, retry={"total": 0})
    if key:
        if not key.is_file():
            raise UsageError(
                "The key for the OpenLineage server is not there.",
                where=str(key),
                fix="Set YUPANA_OPENLINEAGE_KEY to its file.",
            )
        config.auth = ApiKeyTokenProvider({"api_key": key.read_text("utf-8").strip()})
    label = address.replace(f"{urlsplit(address).netloc.rpartition('@')[0]}@", "")
    return Target(label, HttpTransport(config))


def of_file(path: Path) -> Target:
    """A file that grows by a JSON line an event."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _mend(path)
    return Target(str(path), FileTransport(FileConfig(str(path), append=True)))


def of_settings(settings: Settings) -> list[Target]:
    """All that are set; raises as `of_url`."""
    targets = []
    if settings.openlineage_url:
        targets.append(of_url(settings.openlineage_url, settings.openlineage_key))
    if settings.openlineage_file:
        targets.append(of_file(settings.openlineage_file))
    return targets


def _mend(path: Path) -> None:
    """Cut off a line that a killed sender left half written: its event is sent again."""
    if not path.exists():
        return
    with path.open("r+b") as stream:
        end = stream.seek(0, os.SEEK_END)
        # An event has some kilobytes: a torn one lies within the last megabyte.
        start = max(0, end - (1 << 20))
        stream.seek(start)
        stream.truncate(start + stream.read().rfind(b"\n") + 1)
