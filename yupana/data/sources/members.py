"""The files inside a zip, where a contract's `member` means several: each lands by itself."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core.types import RawObject
from yupana.data import archive, landing
from yupana.data.landing import Fetched

_BLOCK = 1 << 20


def names(member: str | None, raw: RawObject) -> list[str]:
    """The files of a landed zip that a pattern means; none where it means one, or no zip is there.

    Raises:
        TerminalError: the zip is damaged.
    """
    found = archive.members(Path(raw.path), member, raw.source)
    return found if len(found) > 1 else []


def shown(raw: RawObject, name: str) -> str:
    """How records name a file inside a zip."""
    return f"{raw.source}#{name}"


def each(settings: Settings, raw: RawObject, wanted: list[str]) -> Iterator[Fetched]:
    """Unpack one file after another into the data set's `.fetch`, where it lands from.

    Raises:
        TerminalError: damaged, locked, or too big once unpacked.
        TransientError: no room on the disk.
    """
    folder = landing.fetch_folder(settings, raw.dataset) / "member"
    for name, stream in archive.unpacked(Path(raw.path), settings, wanted, raw.source):
        with landing.room(folder, 0):
            # Its own name may lead elsewhere (`..`) or be too long for a file.
            path = folder / landing.safe(Path(name).name)
            with path.open("wb") as out:
                shutil.copyfileobj(stream, out, _BLOCK)
        yield Fetched(path, shown(raw, name), {"zip_sha256": raw.sha256, "member": name})
