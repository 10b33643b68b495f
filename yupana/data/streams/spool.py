"""Batches of a stream on the disk, numbered, each renamed into place whole.

    home/streams/<data set>/0000000012/messages.ndjson   until the batch is published
                                      /batch.json        where the stream goes on after it

The newest batch is the stream's position: a broker is told of it only afterwards. Who writes
batches holds the data set's lock (`yupana.orchestration.stream`).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from yupana.config.settings import Settings
from yupana.core.types import RawObject
from yupana.data.files import landing

State = dict[str, Any]
_MESSAGES, _RECORD = "messages.ndjson", "batch.json"
_EMPTY_BLOCK = 1 << 20
FAST_CLOCK = timedelta(minutes=5)


@dataclass(frozen=True)
class Batch:
    """Messages that are published together.

    Attributes:
        number: counts up from 1; the Delta transaction's version.
        messages: how many.
        written: when the batch was whole (UTC, ISO); no message of it arrived later.
        state: where its source goes on.
    """

    number: int
    messages: int
    written: str
    state: State


def folder(settings: Settings, name: str) -> Path:
    """Where a data set's batches lie."""
    return settings.home / "streams" / name


def path_of(settings: Settings, name: str, batch: Batch) -> Path:
    """The batch's messages."""
    return folder(settings, name) / f"{batch.number:010d}" / _MESSAGES


def newest(settings: Settings, name: str) -> Batch | None:
    """The last batch that was written, published or not."""
    batches = _all(settings, name)
    return batches[-1] if batches else None


def waiting(settings: Settings, name: str) -> list[Batch]:
    """Batches that are not published yet, oldest first."""
    return [b for b in _all(settings, name) if path_of(settings, name, b).exists()]


def write(
    settings: Settings,
    name: str,
    lines: Iterable[bytes],
    state: Callable[[], State],
    after: int = 0,
) -> Batch | None:
    """Write the next batch; None, and nothing, where there is no message.

    Args:
        lines: kept messages, each with its end.
        state: asked once all lines were taken.
        after: the number is above this one, whatever lies here.

    Raises:
        TransientError: the disk is full; no batch was written.
    """
    home = folder(settings, name)
    with landing.room(home, _EMPTY_BLOCK):
        for leftover in home.glob(".partial.*"):
            shutil.rmtree(leftover)
        partial = home / f".partial.{os.getpid()}"
        partial.mkdir()
        try:
            count = _write_lines(partial / _MESSAGES, lines)
            if count == 0:
                return None
            last = newest(settings, name)
            number = 1 + max(after, last.number if last else 0)
            now = datetime.now(UTC).isoformat()
            batch = Batch(number, count, now, state())
            _write_synced(partial / _RECORD, json.dumps(asdict(batch)).encode())
            landing.sync(partial)
            partial.rename(home / f"{number:010d}")
            landing.sync(home)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return batch


def source_file(settings: Settings, name: str, location: str, batch: Batch) -> landing.SourceFile:
    """The batch as a source's file, with what its records and commits say of it."""
    facts = {"batch": batch.number, "written": batch.written, "state": batch.state}
    label = f"{location}#{batch.number}"
    return landing.SourceFile(path_of(settings, name, batch), label, {"stream": facts})


def number(settings: Settings, raw: RawObject) -> int:
    """The number of a landed batch."""
    return int(landing.facts_of(settings, raw)["stream"]["batch"])


def latest(settings: Settings, raw: RawObject) -> datetime:
    """The last instant (UTC) that a message of a landed batch may tell of: none arrived after the
    batch was written, and a sensor's clock may be fast by some minutes."""
    end = landing.facts_of(settings, raw)["stream"]["written"]
    return datetime.fromisoformat(end) + FAST_CLOCK


def finish(settings: Settings, name: str, batch: Batch) -> None:
    """Let go of a published batch: its bytes are in the landing zone, its record stays while it
    is the newest."""
    path_of(settings, name, batch).unlink(missing_ok=True)
    for earlier in sorted(folder(settings, name).glob("[0-9]*")):
        if int(earlier.name) < batch.number and not (earlier / _MESSAGES).exists():
            shutil.rmtree(earlier)


def _all(settings: Settings, name: str) -> list[Batch]:
    # Finishing a batch may take the folder of an earlier one away while this looks.
    records = sorted(folder(settings, name).glob(f"[0-9]*/{_RECORD}"))
    return [Batch(**json.loads(r.read_text(encoding="utf-8"))) for r in records if r.exists()]


def _write_lines(path: Path, lines: Iterable[bytes]) -> int:
    count = 0
    with path.open("xb") as out:
        for line in lines:
            out.write(line)
            count += 1
        out.flush()
        os.fsync(out.fileno())
    return count


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("xb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
