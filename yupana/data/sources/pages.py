"""An address that answers page by page, read into one file: a release that came in pieces.

    …/resource.csv?$order=:id&$limit=1000&$offset={offset}     Socrata: rows so far
    …/casos?page={page}                                        numbered from 1; {page:0} from 0
    …/odata/Casos     and in the contract  next: "@odata.nextLink"

Pages are CSV with the same header, or JSON. JSON's records are written one a line as they came,
from a list, from the one list of an object (`value`, `results`, `features`), or from where the
contract's `records` leads. Pages end with one that has no record, or without a next address, or
with one that is not there (404) where the one after it is not there either: a single 404 may be a
page that failed, and what comes after it would be lost.
Nothing is kept of a read that broke off: rows move from page to page when a new version is
loaded, and two versions must not be spliced.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, TransientError
from yupana.core.progress import Progress
from yupana.data.contracts import locations
from yupana.data.files.landing import room
from yupana.data.sources import http, page_content
from yupana.data.sources.page_content import Page

if TYPE_CHECKING:
    import httpx

    from yupana.data.contracts.contract import Contract

_TELL_PAGES = 20
_MOST_PAGE = 256 << 20
_MOST_EMPTY = 100


def to_file(
    settings: Settings,
    contract: Contract,
    location: str,
    folder: Path,
    progress: Progress,
    first_wait: float,
) -> Path:
    """Read all pages into one file in `folder`.

    Raises:
        TerminalError: the server refuses, pages are not of the contract's format, or they never
            end.
        TransientError: outside trouble that lasted, or the columns changed between two pages.
    """
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / "pages.part"
    where, rows, head, tail = http.masked(location), 0, b"", b""
    between = b"" if contract.format == "csv" else b",\n"
    with http.client(settings, stay=True) as client, room(folder, 0), part.open("wb") as out:
        pages = _pages(settings, client, contract, location, progress, first_wait)
        for number, page in enumerate(pages, 1):
            if number > 1 and page.head != head:
                raise TransientError(
                    "The columns changed between two pages.",
                    where=f"{where}, page {number}",
                    fix="Run it again: the portal was loading a new version.",
                )
            out.write(page.head if number == 1 else between if rows else b"")
            head, tail = page.head, page.tail
            out.write(page.body)
            rows += page.rows
            if number % _TELL_PAGES == 0:
                progress.say(f"downloaded {number} pages, {rows:,} rows")
            if out.tell() > settings.max_download:
                raise TerminalError(
                    f"The pages have more than {settings.max_download:,} bytes.",
                    where=where,
                    fix="If they are meant to be so big, raise YUPANA_MAX_DOWNLOAD.",
                )
        out.write(tail)
    name = re.sub(r"[^\w.-]+", "_", PurePosixPath(urlsplit(location).path).stem) or "pages"
    path = folder / f"{name}.{contract.format}"
    part.replace(path)
    return path


def _pages(
    settings: Settings,
    client: httpx.Client,
    contract: Contract,
    location: str,
    progress: Progress,
    first_wait: float,
) -> Iterator[Page]:
    """The pages that hold records; the first one also where it holds none. Says why they ended."""
    url: str | None = _place(location, 0, 0)
    number = rows = step = empty = 0
    end = "the last one names no next one"
    before, hashes = b"", set[str]()
    while url:
        where = http.masked(url)
        if url in hashes or empty > _MOST_EMPTY:
            raise _endless(where, f"{_MOST_EMPTY} pages hold nothing" if empty > _MOST_EMPTY
                           else "this address came before")  # fmt: skip
        hashes.add(url)
        try:
            content = _content(settings, client, url, first_wait)
        except http.RefusedError as error:
            if not number:
                raise
            after = None if contract.next else _place(location, number + 1, rows + step)
            _must_be_the_end(settings, client, after, error, first_wait)
            end = "the next two are not there (404)"
            break
        page = page_content.page(contract, content, where)
        if page.rows and page.body == before:
            raise TerminalError(
                "The same page came twice: the address does not lead to the next one.",
                where=where,
                fix="Look in the portal's documentation how pages are asked for.",
            )
        if page.rows or not number:
            yield page
        if not page.rows and not contract.next:
            end = "the next one holds no record"
            break
        before, number, rows, step = page.body, number + 1, rows + page.rows, page.rows
        empty = 0 if page.rows else empty + 1
        url = _next(url, content, contract.next) if contract.next else (
            _place(location, number, rows)
        )  # fmt: skip
    progress.say(f"{number} {'page' if number == 1 else 'pages'}, {rows:,} rows: {end}")


def _must_be_the_end(
    settings: Settings,
    client: httpx.Client,
    after: str | None,
    refusal: http.RefusedError,
    first_wait: float,
) -> None:
    """Hold a page that is refused for the end only where it and the one after it are not there.

    Args:
        after: address of the page after it; None where pages name the next one.

    Raises:
        TerminalError: what stands there would be lost. No `RefusedError`: of a day's pages that
            would say that the day has none.
    """
    here, more = refusal.status, ""
    if after and here == 404:
        try:
            _content(settings, client, after, first_wait)
            more = " And the page after it is there."
        except http.RefusedError as error:
            if error.status == 404:
                return
            more = f" Of the page after it: {error.what}"
    raise TerminalError(
        f"{refusal.what}{more} Rows would be lost.",
        where=refusal.where,
        fix="Nothing was taken. Run it again; where it stays so, ask the publisher.",
    ) from refusal


def _endless(where: str, why: str) -> TerminalError:
    return TerminalError(
        f"The pages never end: {why}.",
        where=where,
        fix="Ask the publisher, or look whether `next` names the right field.",
    )


def _place(location: str, number: int, rows: int) -> str:
    """The address of a page, by its number from 0 and the rows before it."""

    def value(match: re.Match[str]) -> str:
        if match[1] == "offset":
            return str(int(match[2] or 0) + rows)
        return str(int(match[2] or 1) + number)

    return locations.PAGE.sub(value, location)


def _next(url: str, page: bytes, field: str) -> str | None:
    """The address that a page names as the next; None after the last."""
    field_value = json.loads(page)
    # A field's own name may hold a point: @odata.nextLink.
    whole = isinstance(field_value, dict) and field in field_value
    for name in [field] if whole else field.split("."):
        field_value = field_value.get(name) if isinstance(field_value, dict) else None
    if not field_value:
        return None
    there = _join(url, str(field_value))
    if there is None:
        raise TerminalError(
            "The next page is on another server or port.",
            where=f"{http.masked(url)}, {field}: {http.masked(str(field_value))}",
            fix="Ask the publisher; nothing was asked of that server.",
        )
    return there


def _join(url: str, next_page: str) -> str | None:
    """The next page's address on the origin of this one; None where it names another."""
    try:
        here, after = urlsplit(url), urlsplit(urljoin(url, next_page))
        # Behind a proxy, servers write http:// for https://, and no port.
        if after.hostname != here.hostname or _port(after) not in (None, _port(here)):
            return None
    except ValueError:
        return None
    # The log-in must not go to another scheme.
    return urlunsplit(after._replace(scheme=here.scheme, netloc=here.netloc))


def _port(parts: SplitResult) -> int | None:
    """The port that an address names; None where it is the one that its scheme means."""
    return None if parts.port == {"http": 80, "https": 443}.get(parts.scheme) else parts.port


def _content(settings: Settings, client: httpx.Client, url: str, first_wait: float) -> bytes:
    target, user = http.parse(url)
    where = http.masked(str(target))

    too_big = TerminalError(
        f"A page is bigger than {_MOST_PAGE >> 20} MiB.", where=where, fix="Ask for smaller pages."
    )

    def work() -> bytes:
        with http.request(client, target, user, {}) as response:
            return http.content(response, _MOST_PAGE, too_big)

    return http.persist(settings, work, where=where, first_wait=first_wait)
