"""Download a file: resumed after a break, never spliced from two versions, asked for once."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, TransientError
from yupana.core.progress import Progress
from yupana.data.files.landing import room
from yupana.data.sources import http

if TYPE_CHECKING:
    import httpx

# A try that brought this many bytes is no failed one: big files come over bad lines too.
_FRUITFUL = 8 << 20
_EVERY_SECONDS = 5.0
_SPAN = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_KEPT_HEADERS = (
    "etag",
    "last-modified",
    "content-type",
    "content-length",
    "content-encoding",
    "content-disposition",
    "date",
)


@dataclass(frozen=True)
class Version:
    """What tells one version of a file from the next; empty and None where not said."""

    etag: str = ""
    modified: str = ""
    size: int | None = None

    @property
    def validator(self) -> str:
        """What If-Range may hold: a strong ETag, else the date of change."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.modified

    def same(self, other: Version) -> bool:
        """Whether nothing speaks against it and an ETag, or date and size, speak for it."""
        if None not in (self.size, other.size) and self.size != other.size:
            return False
        if self.etag or other.etag:
            return self.etag == other.etag
        return bool(self.modified) and self.modified == other.modified and self.size is not None


@dataclass(frozen=True)
class LocalCopy:
    """A file that this machine has of a URL."""

    version: Version
    path: Path


@dataclass(frozen=True)
class Answer:
    """The end of a download. `path` is None when the source still has what is held."""

    path: Path | None
    url: str
    status: int
    headers: dict[str, str]


@dataclass(frozen=True)
class _Job:
    settings: Settings
    client: httpx.Client
    url: httpx.URL
    user: tuple[str, str] | None
    folder: Path
    copy: LocalCopy | None
    progress: Progress

    @property
    def part(self) -> Path:
        return self.folder / "data.part"

    @property
    def memory(self) -> Path:
        return self.folder / "version.json"


def download(
    settings: Settings,
    client: httpx.Client,
    url: str,
    folder: Path,
    copy: LocalCopy | None,
    progress: Progress,
    first_wait: float,
) -> Answer:
    """Download `url` into `folder`, going on with what an earlier try left there.

    Args:
        folder: this URL's own.
        copy: a landed version; nothing is downloaded when the source still has it.

    Raises:
        TerminalError: the server refuses, or the file is too big.
        TransientError: outside trouble that lasted, or no room on the disk.
    """
    target, user = http.parse(url)
    folder.mkdir(parents=True, exist_ok=True)
    job = _Job(settings, client, target, user, folder, _waiting(folder) or copy, progress)
    while True:
        before = _size(job.part)
        try:
            where = http.masked(str(target))
            answer = http.persist(
                settings, lambda: _attempt(job), where=where, first_wait=first_wait
            )
        except TransientError:
            if _size(job.part) - before < _FRUITFUL:
                raise
            continue
        if answer.path is None and job.copy and job.copy is not copy:
            # Downloaded by a run that ended before it landed the file.
            return Answer(job.copy.path, answer.url, answer.status, answer.headers)
        return answer


def folder_of(parent: Path, url: str) -> Path:
    """A URL's own folder; those of other URLs are of releases that are gone, and removed."""
    mine = parent / hashlib.sha256(url.encode()).hexdigest()[:16]
    for other in parent.glob("*"):
        if other != mine and other.is_dir():
            shutil.rmtree(other)
    return mine


def _waiting(folder: Path) -> LocalCopy | None:
    facts = _recalled(folder / "done.json")
    path = folder / facts.pop("name", "")
    return LocalCopy(Version(**facts), path) if path.is_file() else None


def _recalled(note: Path) -> dict[str, Any]:
    """What a note says; nothing when a kill has torn it."""
    try:
        facts: dict[str, Any] = json.loads(note.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return facts


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _attempt(job: _Job) -> Answer:
    offset, before = _begun(job)
    with http.request(job.client, job.url, job.user, _headers(job, offset, before)) as response:
        status = response.status_code
        if status == 304 and job.copy and not offset:
            return _answer(None, response)
        if status == 416 or (status == 206 and not _continues(response, before, offset)):
            _drop(job)
            raise http.PassingError("The file changed while it was downloaded")
        http.require_good(response, (200, 206))
        version = _version(response) if status == 200 else before
        if status == 200:
            offset = 0
            if job.copy and job.copy.version.same(version):
                _drop(job)
                return _answer(None, response)
            job.part.unlink(missing_ok=True)
            job.memory.write_text(json.dumps(asdict(version)), encoding="utf-8")
        _within(job, version.size or 0, response)
        with room(job.folder, (version.size or 0) - offset):
            _write(job, response, offset, version.size)
            return _answer(_finish(job, response, version), response, version)


def _begun(job: _Job) -> tuple[int, Version]:
    """How many bytes are here already, and of which version; 0 when they cannot be resumed."""
    version = Version(**_recalled(job.memory))
    if version.validator and _size(job.part):
        return _size(job.part), version
    _drop(job)
    return 0, Version()


def _headers(job: _Job, offset: int, version: Version) -> dict[str, str]:
    if offset:
        return {"Range": f"bytes={offset}-", "If-Range": version.validator}
    headers = {}
    if job.copy and job.copy.version.etag:
        headers["If-None-Match"] = job.copy.version.etag
    if job.copy and job.copy.version.modified:
        headers["If-Modified-Since"] = job.copy.version.modified
    return headers


def _continues(response: httpx.Response, version: Version, offset: int) -> bool:
    """Whether a 206 brings bytes that follow on those of the version that is begun."""
    span = _SPAN.match(response.headers.get("content-range", ""))
    if not span or not offset or int(span[1]) != offset:
        return False
    answer = _version(response)
    if None not in (answer.size, version.size) and answer.size != version.size:
        return False
    etag, modified = answer.etag or version.etag, answer.modified or version.modified
    return (etag, modified) == (version.etag, version.modified)


def _version(response: httpx.Response) -> Version:
    """What the answer says of the whole file, also when only a part of it came."""
    length = response.headers.get("content-length", "")
    if response.status_code == 206:
        span = _SPAN.match(response.headers.get("content-range", ""))
        length = span[2] if span else ""
    size = int(length) if length.isdigit() else None
    return Version(
        response.headers.get("etag", ""), response.headers.get("last-modified", ""), size
    )


def _within(job: _Job, size: int, response: httpx.Response) -> None:
    limit = job.settings.max_download
    if size <= limit:
        return
    _drop(job)
    raise TerminalError(
        f"The download has more than {limit:,} bytes.",
        where=http.masked(str(response.url)),
        fix="If it is meant to be so big, raise YUPANA_MAX_DOWNLOAD.",
    )


def _write(job: _Job, response: httpx.Response, offset: int, total: int | None) -> None:
    position, start = offset, time.monotonic()
    last = start
    with job.part.open("ab" if offset else "wb", buffering=1 << 20) as out:
        for block in response.iter_raw():
            position += len(block)
            _within(job, position, response)
            out.write(block)
            if time.monotonic() - last >= _EVERY_SECONDS:
                last = time.monotonic()
                job.progress.say(_so_far(position, total, (position - offset) / (last - start)))
        out.flush()
        os.fsync(out.fileno())
    if total is not None and position != total:
        raise http.PassingError(f"{position:,} of {total:,} bytes came")


def _so_far(position: int, total: int | None, pace: float) -> str:
    share = f" of {total / 1e6:,.0f} MB ({position / total:.0%})" if total else " MB"
    return f"downloaded {position / 1e6:,.0f}{share}, {pace / 1e6:,.1f} MB/s"


def _finish(job: _Job, response: httpx.Response, version: Version) -> Path:
    name = http.file_name(response)
    facts: dict[str, Any] = {**asdict(version), "size": _size(job.part), "name": name}
    path, note = job.folder / name, job.folder / "done.json"
    # Noted last: a note never speaks of another version than the file's.
    note.unlink(missing_ok=True)
    job.part.replace(path)
    note.write_text(json.dumps(facts), encoding="utf-8")
    job.memory.unlink(missing_ok=True)
    return path


def _drop(job: _Job) -> None:
    job.part.unlink(missing_ok=True)
    job.memory.unlink(missing_ok=True)


def _answer(path: Path | None, response: httpx.Response, version: Version | None = None) -> Answer:
    headers = {k: response.headers[k] for k in _KEPT_HEADERS if k in response.headers}
    if version:
        # The answer that brings the rest of a file need not say again which version it is.
        own = {"etag": version.etag, "last-modified": version.modified}
        headers = {**{k: v for k, v in own.items() if v}, **headers}
    return Answer(path, http.masked(str(response.url)), response.status_code, headers)
