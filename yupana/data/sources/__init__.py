"""Sources: bring what a contract's location means onto this machine, and say where it is from."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.core.progress import Progress
from yupana.data.files import landing
from yupana.data.files.landing import SourceFile

if TYPE_CHECKING:
    from yupana.data.contracts.contract import Contract

__all__ = ["SourceFile", "fetch"]


def fetch(
    settings: Settings,
    dataset: str,
    location: str,
    progress: Progress,
    *,
    contract: Contract | None = None,
    first_wait: float = 1.0,
) -> SourceFile:
    """Bring a source here: a local file stays where it is, all else lands in `.fetch`.

    Args:
        location: a path (in the project, or absolute), `file://`, `http(s)://`,
            `ckan+https://…` or `dkan+https://…`, or `codelist:<name>`.
        contract: says how pages are read, where the location has any.
        first_wait: seconds before the first retry of outside trouble.

    Raises:
        UsageError: no such file, or a location of no known form.
        TerminalError: the server refuses, the portal has no such thing, or it is too big.
        TransientError: outside trouble that lasted through all retries; the next call goes on
            where this one stopped.
    """
    from yupana.data.contracts import locations
    from yupana.data.sources import http, pages, portals

    requested = {"requested": http.masked(location)}
    if location.startswith("codelist:"):
        return _code_list(settings, dataset, location, requested)
    if portals.is_portal(location):
        return _from_portal(settings, dataset, location, progress, first_wait)
    if contract and locations.is_paged(location, contract.next):
        folder = landing.fetch_folder(settings, dataset) / "pages"
        path = pages.to_file(settings, contract, location, folder, progress, first_wait)
        return SourceFile(path, requested["requested"], dict(requested))
    if re.match(r"(?i)https?://", location):
        return _from_web(settings, dataset, location, requested, progress, first_wait)
    return _local(settings, dataset, location, requested)


def _local(
    settings: Settings, dataset: str, location: str, requested: dict[str, str]
) -> SourceFile:
    parts = urlsplit(location)
    if "://" in location and (parts.scheme != "file" or parts.netloc not in ("", "localhost")):
        raise UsageError(
            "The source's address has a form that is not known.",
            where=requested["requested"],
            fix="Use a path, file:///…, https://…, ckan+https://… or dkan+https://…",
        )
    location_path = unquote(parts.path) if "://" in location else location
    path = settings.root / Path(location_path).expanduser()
    if path.exists() and not path.is_file():
        raise UsageError(
            f"The source of '{dataset}' is not a regular file.",
            where=str(path),
            fix="A pipe or a device can be read once, if it ends at all: write it to a file first.",
        )
    if not path.is_file():
        raise UsageError(
            f"The source of '{dataset}' is not there.",
            where=str(path),
            fix="Give its path with --source, or mend `servers.path` in the contract.",
        )
    if not os.access(path, os.R_OK):
        raise UsageError(
            f"The source of '{dataset}' may not be read.",
            where=str(path),
            fix="Give the user who runs yupana the right to read it.",
        )
    inside = path.is_relative_to(settings.root)
    label = str(path.relative_to(settings.root) if inside else path)
    changed = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat()
    return SourceFile(path, label, {**requested, "modified": changed})


def _code_list(
    settings: Settings, dataset: str, location: str, requested: dict[str, str]
) -> SourceFile:
    from yupana.data.contracts import code_lists

    folder = landing.fetch_folder(settings, dataset) / "codelist"
    name = location.removeprefix("codelist:")
    return SourceFile(code_lists.write(name, folder), location, dict(requested))


def _from_web(
    settings: Settings,
    dataset: str,
    url: str,
    facts: dict[str, Any],
    progress: Progress,
    first_wait: float,
) -> SourceFile:
    from yupana.data.sources import download, http

    address = http.masked(str(http.parse(url).url))
    before = landing.newest_of(settings, dataset, address)
    copy = _local_copy(settings, dataset, before) if before else None
    folder = download.folder_of(landing.fetch_folder(settings, dataset), address)
    with http.client(settings) as client:
        answer = download.download(settings, client, url, folder, copy, progress, first_wait)
    record = {**facts, "url": address, "status": answer.status, "headers": answer.headers}
    if answer.path:
        return SourceFile(answer.path, answer.url, record)
    assert copy and before
    return SourceFile(copy.path, answer.url, record, unchanged_sha256=before["sha256"])


def _local_copy(settings: Settings, dataset: str, before: landing.Record) -> Any:
    from yupana.data.sources.download import LocalCopy, Version

    raw = landing.find(settings, dataset, before["sha256"])
    headers = before["facts"]["headers"]
    if raw is None:
        return None
    version = Version(headers.get("etag", ""), headers.get("last-modified", ""), raw.size)
    return LocalCopy(version, Path(raw.path))


def _from_portal(
    settings: Settings, dataset: str, location: str, progress: Progress, first_wait: float
) -> SourceFile:
    from yupana.data.sources import datastore, http, origin, portals

    resource = portals.resolve(settings, location, first_wait=first_wait)
    facts = {
        "requested": http.masked(location),
        "package": resource.package,
        "resource_id": resource.id,
        "resource": resource.name,
        "licence": resource.licence,
        "publisher": resource.publisher,
        "modified": resource.modified,
    }
    portal = portals.parse(location).portal
    if resource.url:
        origin.require_outward(http.parse(portal.base).url, http.parse(resource.url).url)
        return _from_web(settings, dataset, resource.url, facts, progress, first_wait)
    folder = landing.fetch_folder(settings, dataset) / "datastore"
    path = datastore.to_csv(settings, portal, resource, folder, progress, first_wait)
    return SourceFile(path, f"{http.masked(portal.base)}#datastore:{resource.id}", facts)
