"""The landing zone: a file's bytes as they came, addressed by their SHA-256, never changed."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import zlib
from datetime import UTC, datetime
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.core.hashing import file_sha256
from yupana.core.types import RawObject

_GZIP_MAGIC = b"\x1f\x8b"
_BLOCK = 1 << 20


def land(settings: Settings, dataset: str, source: Path, *, shown: str) -> RawObject:
    """Keep a source file once; a file already kept is not written again.

    Args:
        shown: how records name the source.

    Raises:
        UsageError: the file is not there.
        TerminalError: the file is empty, or a gzip that is cut short or damaged.
    """
    if not source.is_file():
        raise UsageError(
            f"The source of '{dataset}' is not there.",
            where=str(source),
            fix="Give its path with --source, or mend `servers.path` in the contract.",
        )
    _check_whole(source)
    sha256 = file_sha256(source)
    folder = settings.home / "landing" / dataset / sha256
    kept = folder / source.name
    if not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f".{source.name}.{os.getpid()}"
        shutil.copyfile(source, partial)
        facts = {"source": shown, "time": datetime.now(UTC).isoformat(), "sha256": sha256}
        (folder / "landed.json").write_text(json.dumps(facts, indent=1))
        # Renamed last: a file that bears its final name is whole.
        partial.rename(kept)
    return RawObject(
        dataset=dataset,
        path=str(kept),
        sha256=sha256,
        size=kept.stat().st_size,
        source=shown,
    )


def is_gzip(path: Path) -> bool:
    """Whether the bytes, not the name, say gzip."""
    with path.open("rb") as stream:
        return stream.read(2) == _GZIP_MAGIC


def _check_whole(path: Path) -> None:
    if path.stat().st_size == 0:
        raise TerminalError(
            "The source file is empty.", where=str(path), fix="Fetch it again from the publisher."
        )
    if not is_gzip(path):
        return
    seen = 0
    try:
        with gzip.open(path) as stream:
            while block := stream.read(_BLOCK):
                seen += len(block)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TerminalError(
            f"The gzip file is cut short or damaged: {error}",
            where=f"{path}, after {seen:,} bytes of content",
            fix="Fetch it again from the publisher; nothing was published from it.",
        ) from error
