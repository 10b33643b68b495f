"""Open-data portals: CKAN 2 and DKAN 7, whose files are found by package, never by address.

APIs: https://docs.ckan.org/en/2.11/api/ and https://docs.getdkan.org (7.x). DKAN says it
speaks CKAN's API, but has no search, may wrap a package in a list, and keeps its own datastore.
"""

from __future__ import annotations

import difflib
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError, YupanaError
from yupana.data.sources import http
from yupana.data.sources.words import fold, iso_date, plain

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True)
class Portal:
    """A portal and its kind; `base` is its address without a slash at the end."""

    kind: Literal["ckan", "dkan"]
    base: str

    @property
    def api(self) -> str:
        return f"{self.base}/api/3/action"


@dataclass(frozen=True)
class Resource:
    """A file (or, with an empty `url`, a datastore table) of a package.

    `modified` is ISO 8601 where the portal's text could be read, else that text.
    """

    url: str
    id: str
    name: str
    format: str
    package: str
    licence: str
    publisher: str
    modified: str


@dataclass(frozen=True)
class Package:
    """A data set of a portal."""

    name: str
    title: str
    licence: str
    publisher: str
    modified: str
    resources: tuple[Resource, ...]


def is_portal(location: str) -> bool:
    return location.lower().startswith(("ckan+http", "dkan+http"))


class PackageAddress(NamedTuple):
    """What `dkan+https://host/<slug>#<resource>` names; `resource` may be empty."""

    portal: Portal
    slug: str
    resource: str


def parse(location: str) -> PackageAddress:
    """The parts of a portal's location.

    Raises:
        UsageError: the location has another form.
    """
    kind, _, address = location.partition("+")
    parts = urlsplit(address)
    *base, slug = parts.path.strip("/").split("/")
    # The address of a package's page is taken too: https://host/dataset/<slug>.
    base = base[:-1] if base[-1:] == ["dataset"] else base
    if kind.lower() not in ("ckan", "dkan") or not parts.netloc:
        raise UsageError(
            "This is not the address of a portal.",
            where=http.masked(location),
            fix="Use ckan+https://<host>/<package>#<resource>, or dkan+https://…",
        )
    root = "/".join([f"{parts.scheme}://{parts.netloc}", *base])
    portal = Portal("ckan" if kind.lower() == "ckan" else "dkan", root)
    return PackageAddress(portal, unquote(slug), unquote(parts.fragment))


def resolve(settings: Settings, location: str, *, first_wait: float = 1.0) -> Resource:
    """The resource that a portal's location means now.

    Raises:
        TerminalError: no such package, or none or several such resources; lists what there is.
        TransientError: the portal cannot be reached.
    """
    portal, slug, choice = parse(location)
    with http.client(settings) as client:
        package = _show(settings, client, portal, slug, first_wait)
    if choice.startswith("datastore:"):
        return _table(package, choice.removeprefix("datastore:"))
    return _choose(package, choice, http.masked(location))


def _show(
    settings: Settings, client: httpx.Client, portal: Portal, slug: str, first_wait: float
) -> Package:
    url = f"{portal.api}/package_show"
    try:
        answer = result_of(http.get_json(settings, client, url, {"id": slug}, first_wait), url)
    except http.RefusedError as error:
        if error.status != 404:
            raise
        answer = None
    package = next((p for p in _as_list(answer) if isinstance(p, dict) and "resources" in p), None)
    if package:
        return _package(portal, package)
    near: list[str] = []
    with suppress(YupanaError):
        names = _names(settings, client, portal, first_wait)
        near = difflib.get_close_matches(slug, names, n=5, cutoff=0.5)
    raise TerminalError(
        f"The portal has no package '{slug}'.",
        where=http.masked(portal.base),
        fix=f"Near it: {', '.join(near)}." if near else "Look the package up on the portal's page.",
    )


def _names(
    settings: Settings, client: httpx.Client, portal: Portal, first_wait: float
) -> list[str]:
    url = f"{portal.api}/package_list"
    return [str(n) for n in result_of(http.get_json(settings, client, url, {}, first_wait), url)]


def result_of(body: Any, url: str) -> Any:
    """What an API answered: `result`, or the whole body where that is a list.

    Raises:
        TerminalError: the API says that it failed, or answers in another form.
    """
    if isinstance(body, list):
        return body
    if not isinstance(body, dict) or "result" not in body or body.get("success") is False:
        message = body.get("error") or body.get("message") if isinstance(body, dict) else body
        raise TerminalError(
            "The portal's API failed.",
            where=http.masked(url),
            detail=str(message)[:200],
            fix="Check the package's name and the portal's kind (ckan+ or dkan+).",
        )
    return body["result"]


def _as_list(answer: Any) -> list[Any]:
    return answer if isinstance(answer, list) else [answer]


def _package(portal: Portal, raw: dict[str, Any]) -> Package:
    title = str(raw.get("title") or raw.get("name") or "")
    licence = str(raw.get("license_title") or raw.get("license_id") or "")
    publisher = _publisher(portal, raw)
    modified = iso_date(raw.get("metadata_modified") or "")
    resources = tuple(
        Resource(
            url=urljoin(f"{portal.base}/", str(r.get("url") or "").strip()) if r.get("url") else "",
            id=str(r.get("id") or ""),
            name=str(r.get("name") or ""),
            format=_format(r),
            package=title,
            licence=licence,
            publisher=publisher,
            modified=iso_date(r.get("last_modified") or r.get("revision_timestamp") or ""),
        )
        for r in raw.get("resources") or []
    )
    return Package(str(raw.get("name") or ""), title, licence, publisher, modified, resources)


def _publisher(portal: Portal, raw: dict[str, Any]) -> str:
    """CKAN's organization; DKAN calls publishers groups, which for CKAN are topics."""
    if isinstance(raw.get("organization"), dict):
        return str(raw["organization"].get("title") or raw["organization"].get("name") or "")
    groups = raw.get("groups") if portal.kind == "dkan" else None
    return ", ".join(str(g.get("title") or g.get("name")) for g in groups or [])


def _format(raw: dict[str, Any]) -> str:
    """csv, xlsx, …: what the portal says, else the end of the file's name."""
    stated = str(raw.get("format") or "").lower().rsplit("/", 1)[-1].lstrip(".")
    return stated or PurePosixPath(urlsplit(str(raw.get("url") or "")).path).suffix[1:].lower()


def _table(package: Package, resource: str) -> Resource:
    """A resource that is to be read from the datastore."""
    same = next((r for r in package.resources if r.id == resource), None)
    name = same.name if same else resource
    modified = same.modified if same else package.modified
    return Resource(
        "", resource, name, "csv", package.title, package.licence, package.publisher, modified
    )


def _choose(package: Package, choice: str, where: str) -> Resource:
    """By id, else name (a pattern may be given), else format; else the only one or only CSV."""
    every = package.resources
    fits = (
        [r for r in every if r.id == choice],
        [r for r in every if fold(r.name) == fold(choice)],
        [r for r in every if fnmatchcase(plain(r.name), plain(choice))],
        [r for r in every if r.format == choice.lower()],
    )
    untold = [r for r in every if len(every) == 1 or r.format == "csv"]
    candidates = next((fit for fit in fits if fit), []) if choice else untold
    if len(candidates) == 1:
        return candidates[0]
    listed = "; ".join(f"{r.id} '{r.name}' ({r.format})" for r in every) or "nothing"
    how_many = f"{len(candidates)} resources" if candidates else "no resource"
    raise TerminalError(
        f"The package '{package.name}' has {how_many}"
        + (f" '{choice}'." if choice else " to take."),
        where=f"{where}; it has: {listed}",
        fix="Put one's id or name after the # of the location.",
    )
