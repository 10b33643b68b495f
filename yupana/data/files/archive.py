"""Read what is inside a gzip or zip file as it streams by, with limits on what it may become."""

from __future__ import annotations

import hashlib
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Literal

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.data.files.gunzip import Gunzip

_BLOCK = 1 << 20
_MOST_RATIO = 200
_RATIO_MATTERS = 100 * 1000 * 1000
_JUNK = ("__MACOSX/", ".DS_Store", "Thumbs.db")
_SHOWN = 20
# A name that says it is UTF-8 may be none.
_BROKEN = (zipfile.BadZipFile, EOFError, UnicodeDecodeError)

Kind = Literal["gzip", "zip", "document", "plain"]


@dataclass(frozen=True)
class Content:
    """What a file holds.

    Attributes:
        head: the first 4 KiB of its content; of a zip, of its first member.
        sha256: of the content of a file that packs one; empty where the bytes are the content, or
            a zip holds several.
    """

    head: bytes
    sha256: str = ""


def kind(path: Path) -> Kind:
    """What the bytes say, not the name; a `document` is a workbook: a zip to be read whole."""
    with path.open("rb") as stream:
        magic = stream.read(4)
    if magic[:2] == b"\x1f\x8b":
        return "gzip"
    if magic in (b"PK\x03\x04", b"PK\x05\x06"):
        return "document" if _is_document(path) else "zip"
    return "plain"


@contextmanager
def open_content(path: Path, settings: Settings, member: str | None) -> Iterator[BinaryIO]:
    """The content of a file as a stream; nothing is unpacked to disk.

    Args:
        member: name or glob of a zip's member; None when it has only one file.

    Raises:
        TerminalError: damaged or cut short, too big once unpacked, or no such member.
    """
    form = kind(path)
    if form in ("plain", "document"):
        with path.open("rb") as plain:
            yield plain
    elif form == "gzip":
        with path.open("rb") as packed:
            yield _gunzip(path, packed, settings, str(path))
    else:
        with _zip(path, str(path)) as archive:
            info = _only(archive, member, str(path))
            yield from _members(settings, archive, [info], str(path))


def members(path: Path, member: str | None, label: str) -> list[str]:
    """Names of a zip's files that a pattern means, in order; none where the file is no zip.

    Raises:
        TerminalError: the zip is damaged, holds no file, or two of one name.
    """
    if not member or kind(path) != "zip":
        return []
    with _zip(path, label) as archive:
        names = [info.filename for info in _files(archive, label)]
    matches = sorted(name for name in names if _matches(name, member))
    if twice := next((a for a, b in pairwise(matches) if a == b), None):
        raise TerminalError(
            "The zip file holds two files of one name.",
            where=f"{label}, member {twice}",
            fix="Ask the publisher which one counts; pack it again, each under a name of its own.",
        )
    return matches


def unpack(
    path: Path, settings: Settings, names: list[str], label: str
) -> Iterator[tuple[str, BinaryIO]]:
    """Each named file of a zip as a stream, to be read before the next is asked for.

    Raises:
        TerminalError: damaged, locked or too big once unpacked.
    """
    with _zip(path, label) as archive:
        infos = [archive.getinfo(name) for name in names]
        yield from zip(names, _members(settings, archive, infos, label), strict=True)


def check(path: Path, settings: Settings, label: str) -> Content:
    """Read a packed file to its end; a plain one is only looked at.

    Args:
        label: how messages name the file.

    Raises:
        TerminalError: empty, damaged, cut short, or too big once unpacked.
    """
    form = kind(path)
    if form == "document":
        _check_document(path, settings, label)
    if form in ("plain", "document"):
        with path.open("rb") as plain:
            return Content(plain.read(4096))
    if form == "gzip":
        with path.open("rb") as packed:
            return _drain(_gunzip(path, packed, settings, label))
    with _zip(path, label) as archive:
        contents = [
            _drain(stream)
            for stream in _members(settings, archive, _files(archive, label), label)
        ]
    return contents[0] if len(contents) == 1 else Content(contents[0].head)


def _gunzip(path: Path, packed: BinaryIO, settings: Settings, label: str) -> BinaryIO:
    guard = _Guard(settings, Gunzip(packed).read, path.stat().st_size, label)
    return io.BufferedReader(guard, _BLOCK)


def _drain(stream: BinaryIO) -> Content:
    head = stream.read(4096)
    digest = hashlib.sha256(head)
    while block := stream.read(_BLOCK):
        digest.update(block)
    return Content(head, digest.hexdigest())


def _is_document(path: Path) -> bool:
    """Whether a zip is one document: a workbook (OOXML) or an OpenDocument file."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except _BROKEN:
        return False
    return "[Content_Types].xml" in names or names[:1] == ["mimetype"]


def _check_document(path: Path, settings: Settings, label: str) -> None:
    """A workbook is unpacked by its reader, so only what it declares can be checked here."""
    with _zip(path, label) as archive:
        declared = sum(info.file_size for info in archive.infolist())
    _within(settings, 0, declared, path.stat().st_size, label)


@contextmanager
def _zip(path: Path, label: str) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(path)
    except _BROKEN as error:
        raise _damage(error, label, 0) from error
    with archive:
        yield archive


def _files(archive: zipfile.ZipFile, label: str) -> list[zipfile.ZipInfo]:
    """The members that somebody put there, without folders and what systems leave."""
    names = [
        info
        for info in archive.infolist()
        if not info.is_dir() and not any(junk in info.filename for junk in _JUNK)
    ]
    if not names:
        raise TerminalError(
            "The zip file holds no file.", where=label, fix="Fetch it again from the publisher."
        )
    return names


def _only(archive: zipfile.ZipFile, member: str | None, label: str) -> zipfile.ZipInfo:
    files = _files(archive, label)
    matches = [info for info in files if not member or _matches(info.filename, member)]
    if len(matches) == 1:
        return matches[0]
    what = f"{len(matches)} files" + (f" that match '{member}'" if member else "")
    names = ", ".join(info.filename for info in files[:_SHOWN])
    more = f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else ""
    raise TerminalError(
        f"The zip file has {what}; exactly one is read.",
        where=f"{label}; it holds: {names}{more}",
        fix="Name one in the contract's `member` (a name, or a pattern such as '*/cases_*.csv').",
    )


def _matches(name: str, pattern: str) -> bool:
    """A pattern is for the whole path, or for the name alone."""
    return fnmatchcase(name, pattern) or fnmatchcase(PurePosixPath(name).name, pattern)


def _members(
    settings: Settings, archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo], label: str
) -> Iterator[BinaryIO]:
    """One guarded stream a member; what one has unpacked counts against the next."""
    before = 0
    for info in infos:
        where = f"{label}, member {info.filename}"
        try:
            opened = archive.open(info)
        except NotImplementedError as error:
            raise TerminalError(
                f"The zip file is packed in a way that cannot be read here: {error}",
                where=where,
                fix="Unpack it by hand, pack it again as a common zip (deflate), and give that.",
            ) from error
        except RuntimeError as error:
            raise TerminalError(
                "The zip file is locked with a password.",
                where=where,
                fix="Ask the publisher for an open file.",
            ) from error
        except (zipfile.BadZipFile, EOFError) as error:
            raise _damage(error, where, 0) from error
        with opened:
            guard = _Guard(settings, opened.read, info.compress_size, where, before)
            yield io.BufferedReader(guard, _BLOCK)
            before += guard.position


def _damage(error: Exception, where: str, position: int) -> TerminalError:
    return TerminalError(
        f"The file is cut short or damaged: {error}",
        where=f"{where}, after {position:,} bytes of content",
        fix="Fetch it again from the publisher; nothing was published from it.",
    )


def _within(settings: Settings, before: int, size: int, packed: int, where: str) -> None:
    if before + size > settings.max_unpacked:
        raise TerminalError(
            f"The file unpacks to more than {settings.max_unpacked:,} bytes.",
            where=where,
            fix="If it is meant to be so big, raise YUPANA_MAX_UNPACKED.",
        )
    if size > max(_RATIO_MATTERS, _MOST_RATIO * packed):
        raise TerminalError(
            f"The file unpacks to more than {_MOST_RATIO} times its size, as files do that are "
            "made to fill a disk.",
            where=f"{where}, after {size:,} bytes of content",
            fix="Look at it by hand; if it is sound, unpack it and give the unpacked file.",
        )


class _Guard(io.RawIOBase):
    """Counts what is unpacked, and stops at the limits and at damage."""

    def __init__(
        self,
        settings: Settings,
        read: Callable[[int], bytes],
        packed: int,
        where: str,
        before: int = 0,
    ) -> None:
        self.position = 0
        self._settings, self._read = settings, read
        self._packed, self._where, self._before = packed, where, before

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._next(len(buffer))
        buffer[: len(block)] = block
        return len(block)

    def readall(self) -> bytes:
        return b"".join(iter(lambda: self._next(_BLOCK), b""))

    def _next(self, size: int) -> bytes:
        try:
            block = self._read(size)
        except (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
            raise _damage(error, self._where, self.position) from error
        self.position += len(block)
        _within(self._settings, self._before, self.position, self._packed, self._where)
        return block
