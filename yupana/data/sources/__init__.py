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
from yupana.data import landing
from yupana.data.landing import Fetched

if TYPE_CHECKING:
    from yupana.data.contract import Contract

__all__ = ["Fetched", "fetch"]


def fetch(
    settings: Settings,
    dataset: str,
    location: str,
    progress: Progress,
    *,
    contract: Contract | None = None,
    first_wait: float = 1.0,
) -> Fetched:
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
    from yupana.data.sources import http, pages, portals

    requested = {"requested": http.masked(location)}
    if location.startswith("codelist:"):
        return _code_list(settings, dataset, location, requested)
    if portals.is_portal(location):
        return _from_portal(settings, dataset, location, progress, first_wait)
    if contract and pages.is_paged(location, contract.next):
        folder = landing.fetch_folder(settings, dataset) / "pages"
        path = pages.to_file(settings, contract, location, folder, progress, first_wait)
        return Fetched(path, requested["requested"], dict(requested))
    if re.match(r"(?i)https?://", location):
        return _from_web(settings, dataset, location, requested, progress, first_wait)
    return _local(settings, dataset, location, requested)


def _local(settings: Settings, dataset: str, location: str, requested: dict[str, str]) -> Fetched:
    parts = urlsplit(location)
    if "://" in location and (parts.scheme != "file" or parts.netloc not in ("", "localhost")):
        raise UsageError(
            "The source's address has a form that is not known.",
            where=requested["requested"],
            fix="Use a path, file:///…, https://…, ckan+https://… or dkan+https://…",
        )
    named = unquote(parts.path) if "://" in location else location
    path = settings.root / Path(named).expanduser()
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
    shown = str(path.relative_to(settings.root) if inside else path)
    changed = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat()
    return Fetched(path, shown, {**requested, "modified": changed})


def _code_list(
    settings: Settings, dataset: str, location: str, requested: dict[str, str]
) -> Fetched:
    from yupana.data.codes import write_code_list

    folder = landing.fetch_folder(settings, dataset) / "codelist"
    name = location.removeprefix("codelist:")
    return Fetched(write_code_list(name, folder), location, dict(requested))


def _from_web(
    settings: Settings,
    dataset: str,
    url: str,
    facts: dict[str, Any],
    progress: Progress,
    first_wait: float,
) -> Fetched:
    from yupana.data.sources import download, http

    asked = http.masked(str(http.taken_apart(url)[0]))
    before = landing.newest_of(settings, dataset, asked)
    held = _held(settings, dataset, before) if before else None
    folder = download.folder_of(landing.fetch_folder(settings, dataset), asked)
    with http.client(settings) as made:
        answer = download.download(settings, made, url, folder, held, progress, first_wait)
    told = {**facts, "url": asked, "status": answer.status, "headers": answer.headers}
    if answer.path:
        return Fetched(answer.path, answer.url, told)
    assert held and before
    return Fetched(held.path, answer.url, told, unchanged_sha256=before["sha256"])


def _held(settings: Settings, dataset: str, before: landing.Record) -> Any:
    from yupana.data.sources.download import Held, Version

    kept = landing.find(settings, dataset, before["sha256"])
    headers = before["facts"]["headers"]
    if kept is None:
        return None
    version = Version(headers.get("etag", ""), headers.get("last-modified", ""), kept.size)
    return Held(version, Path(kept.path))


def _from_portal(
    settings: Settings, dataset: str, location: str, progress: Progress, first_wait: float
) -> Fetched:
    from yupana.data.sources import datastore, http, portals

    found = portals.resolve(settings, location, first_wait=first_wait)
    facts = {
        "requested": http.masked(location),
        "package": found.package,
        "resource_id": found.id,
        "resource": found.name,
        "licence": found.licence,
        "publisher": found.publisher,
        "modified": found.modified,
    }
    if found.url:
        return _from_web(settings, dataset, found.url, facts, progress, first_wait)
    portal = portals.portal_of(location)[0]
    folder = landing.fetch_folder(settings, dataset) / "datastore"
    path = datastore.to_csv(settings, portal, found, folder, progress, first_wait)
    return Fetched(path, f"{http.masked(portal.base)}#datastore:{found.id}", facts)
