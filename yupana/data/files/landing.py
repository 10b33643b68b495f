"""The landing zone: a file's bytes as they came, addressed by their SHA-256, never changed.

    home/landing/<data set>/<sha256>/<file>         the bytes
                                    /landed.json    each time they came: when, whence, headers
                           /.fetch/                 what a download has so far

The folder of a hash is renamed into place: where it stands, its file is whole. Whoever lands
or fetches holds the data set's lock (`yupana.orchestration.ingest`).
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, TransientError
from yupana.core.types import RawObject
from yupana.data.files import archive, signature
from yupana.ledger.fault import Fault

_BLOCK = 1 << 20
_RECORDS = "landed.json"
Record = dict[str, Any]


@dataclass(frozen=True)
class SourceFile:
    """A source's file on this machine.

    Attributes:
        path: the file; one in the data set's `.fetch` folder is moved when it lands.
        label: how records name the source: path in the project, or URL without credentials.
        facts: where it came from: request, HTTP headers, what the portal says of it.
        unchanged_sha256: set when the source still has bytes that landed before; `path` is
            then the landed file, and nothing was downloaded.
    """

    path: Path
    label: str
    facts: dict[str, Any] = field(default_factory=dict)
    unchanged_sha256: str | None = None


def fetch_folder(settings: Settings, dataset: str) -> Path:
    """Where a data set's downloads grow until they land."""
    return settings.home / "landing" / dataset / ".fetch"


def land(settings: Settings, dataset: str, fetched: SourceFile, *, format: str) -> RawObject:
    """Keep a file once; bytes that are kept already gain a record, not a copy.

    Args:
        format: what the contract expects: csv, xlsx, json, parquet or object.

    Raises:
        TerminalError: the file is empty, cut short, too big once unpacked, or a web page.
        TransientError: the disk is full, or the file is gone or changed meanwhile.
    """
    if fetched.unchanged_sha256:
        copy = find(settings, dataset, fetched.unchanged_sha256)
        if copy:
            return copy
    if not fetched.path.is_file():
        raise TransientError(
            f"The source of '{dataset}' was there and is gone.",
            where=fetched.label,
            fix="Run it again; another run may have landed it.",
        )
    home = settings.home / "landing" / dataset
    ours = fetched.path.is_relative_to(home / ".fetch")
    partial = home / f".partial.{os.getpid()}"
    try:
        with room(home, 0 if ours else fetched.path.stat().st_size):
            _clear(home)
            partial.mkdir(parents=True)
            # A download is checked where it lies: a crash before the rename costs nothing.
            file = fetched.path if ours else partial / safe(fetched.path.name)
            sha256, size = _hash(file) if ours else _copy(fetched.path, file)
            content = _check(settings, file, size, fetched.label, format)
            _place(home, partial, file, sha256, _record(fetched, sha256, size, content))
    except TerminalError:
        # Else the next fetch would be told that this file has not changed.
        if ours:
            fetched.path.unlink()
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    if ours:
        shutil.rmtree(fetched.path.parent, ignore_errors=True)
    landed = find(settings, dataset, sha256)
    assert landed
    return landed


def find(settings: Settings, dataset: str, sha256: str) -> RawObject | None:
    """The landed file with these bytes, if it is kept."""
    folder = settings.home / "landing" / dataset / sha256
    file = _content(folder)
    if file is None:
        return None
    return RawObject(
        dataset=dataset,
        path=str(file),
        sha256=sha256,
        size=file.stat().st_size,
        source=str(_records(folder)[-1]["source"]),
    )


def content_sha256(settings: Settings, dataset: str, sha256: str) -> str:
    """Hash of what a landed file holds once unpacked: of `c.csv` and `c.csv.gz` the same. Of a
    file that packs nothing, packs several, or is no longer kept, its own."""
    folder = settings.home / "landing" / dataset / sha256
    if _content(folder) is None:
        return sha256
    return str(_records(folder)[-1].get("content_sha256", sha256))


def faults(settings: Settings, sha256: str = "*") -> Iterator[Fault]:
    """Landed files that hold other bytes than those that landed.

    Args:
        sha256: look at the file that landed with this one alone; default: at all files.
    """
    for folder in sorted((settings.home / "landing").glob(f"*/{sha256}")):
        file = None if folder.name.startswith(".") else _content(folder)
        if file and _hash(file)[0] != folder.name:
            what = "the landed file has another SHA-256 now"
            yield Fault(0, "changed", f"raw:{folder.name}", "", what)


def arrival_day(settings: Settings, raw: RawObject) -> date:
    """The day (UTC) on which these bytes landed for the first time."""
    records = _records(settings.home / "landing" / raw.dataset / raw.sha256)
    return datetime.fromisoformat(min(r["time"] for r in records)).astimezone(UTC).date()


def facts_of(settings: Settings, raw: RawObject) -> dict[str, Any]:
    """Where a landed file came from, the last time it came (`SourceFile.facts`)."""
    records = _records(settings.home / "landing" / raw.dataset / raw.sha256)
    return dict(records[-1]["facts"])


def newest_of(settings: Settings, dataset: str, url: str) -> Record | None:
    """The last landing of a URL, with its headers, if its file is still kept."""
    home = settings.home / "landing" / dataset
    folders = [path.parent for path in home.glob(f"*/{_RECORDS}") if _content(path.parent)]
    records = [r for f in folders for r in _records(f) if r.get("facts", {}).get("url") == url]
    return max(records, key=lambda r: str(r["time"]), default=None)


def _check(settings: Settings, file: Path, size: int, label: str, format: str) -> str:
    """Hash of the content of a file that packs one; empty of another."""
    if size == 0:
        raise TerminalError(
            "The source file is empty.", where=label, fix="Fetch it again from the publisher."
        )
    content = archive.check(file, settings, label)
    signature.refuse_other(content.head, format=format, label=label)
    return content.sha256


def _record(fetched: SourceFile, sha256: str, size: int, content: str) -> Record:
    return {
        "time": datetime.now(UTC).isoformat(),
        "source": fetched.label,
        "name": fetched.path.name,
        "sha256": sha256,
        "size": size,
        **({"content_sha256": content} if content else {}),
        "facts": fetched.facts,
    }


def _place(home: Path, partial: Path, file: Path, sha256: str, record: Record) -> None:
    """Put a checked file under its hash, or note that it came once more."""
    folder = home / sha256
    if _content(folder):
        _write(folder / _RECORDS, [*_records(folder), record])
        return
    if folder.exists():
        shutil.rmtree(folder)
    _write(partial / _RECORDS, [record])
    if file.parent != partial:
        file.replace(partial / safe(file.name))
    sync(partial)
    partial.rename(folder)
    sync(home)


def _content(folder: Path) -> Path | None:
    if not (folder / _RECORDS).exists():
        return None
    files = (p for p in folder.iterdir() if p.name != _RECORDS and not p.name.startswith("."))
    return next(files, None)


def _records(folder: Path) -> list[Record]:
    records = json.loads((folder / _RECORDS).read_text(encoding="utf-8"))
    return records if isinstance(records, list) else [records]


def _write(path: Path, records: list[Record]) -> None:
    fresh = path.with_name(f".{path.name}")
    # A file's name may be no UTF-8: half a character is written as JSON's own escape.
    with fresh.open("w", encoding="utf-8", errors="backslashreplace") as stream:
        json.dump(records, stream, indent=1, ensure_ascii=False, default=str)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(path)
    sync(path.parent)


def sync(folder: Path) -> None:
    """Make a rename last."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def safe(name: str) -> str:
    """A name that every engine can open: Spark takes `[`, `{` and `*` for patterns."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    cut = re.sub(r"[^A-Za-z0-9._-]+", "_", plain).lstrip("._")[-100:] or "file"
    return f"data_{cut}" if cut == _RECORDS else cut


def _hash(path: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return digest.hexdigest(), size


def _copy(source: Path, target: Path) -> tuple[str, int]:
    """Copy and hash in one pass; the copy is on the disk when this returns."""
    before = source.stat()
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as stream, target.open("xb") as out:
        while block := stream.read(_BLOCK):
            digest.update(block)
            size += len(block)
            out.write(block)
        out.flush()
        os.fsync(out.fileno())
    after = source.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise TransientError(
            "The source file changed while it was read.",
            where=str(source),
            fix="Run it again once it is complete.",
        )
    return digest.hexdigest(), size


def _clear(home: Path) -> None:
    """Remove what a killed landing left."""
    for partial in home.glob(".partial.*"):
        shutil.rmtree(partial)


@contextmanager
def room(folder: Path, needed: int) -> Iterator[None]:
    """Do work that writes `needed` more bytes into `folder`.

    Raises:
        TransientError: the disk is full, or will be; names the folder and the room it needs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    try:
        if free < needed:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise TransientError(
            f"The disk is full: {needed / 1e6:,.1f} MB are needed, {free / 1e6:,.1f} MB were free.",
            where=str(folder),
            fix="Free that much there, or set YUPANA_HOME to a bigger disk, and run it again.",
        ) from error
