"""The files inside a zip, where a contract's `member` means several: each lands by itself."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.core.types import RawObject
from yupana.data.files import archive, landing
from yupana.data.files.landing import SourceFile

_BLOCK = 1 << 20


def names(member: str | None, raw: RawObject) -> list[str]:
    """The files of a landed zip that a pattern means; none where it means one.

    Raises:
        TerminalError: the zip is damaged, or the file is none.
    """
    if member and archive.kind(Path(raw.path)) != "zip":
        raise TerminalError(
            f"The contract names a `member` of a zip, '{member}', and the file is no zip.",
            where=raw.source,
            fix="Give the zip, or take `member` out of the contract.",
        )
    members = archive.members(Path(raw.path), member, raw.source)
    return members if len(members) > 1 else []


def label(raw: RawObject, name: str) -> str:
    """How records name a file inside a zip."""
    return f"{raw.source}#{name}"


def each(settings: Settings, raw: RawObject, names: list[str]) -> Iterator[SourceFile]:
    """Unpack one file after another into the data set's `.fetch`, where it lands from.

    Raises:
        TerminalError: damaged, locked, or too big once unpacked.
        TransientError: no room on the disk.
    """
    folder = landing.fetch_folder(settings, raw.dataset) / "member"
    for name, stream in archive.unpack(Path(raw.path), settings, names, raw.source):
        with landing.room(folder, 0):
            # Its own name may lead elsewhere (`..`) or be too long for a file.
            path = folder / landing.safe(Path(name).name)
            with path.open("wb") as out:
                shutil.copyfileobj(stream, out, _BLOCK)
        yield SourceFile(path, label(raw, name), {"zip_sha256": raw.sha256, "member": name})
