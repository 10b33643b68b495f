"""A portal's datastore, read page by page into a CSV file."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, TransientError
from yupana.core.progress import Progress
from yupana.data.files.landing import room
from yupana.data.sources import http
from yupana.data.sources.portals import Portal, Resource, result_of

if TYPE_CHECKING:
    import httpx

_PAGE = 1000
_TELL_ROWS = 50_000
_OWN_COLUMNS = {
    "ckan": {"_id", "_full_text"},
    "dkan": {"feeds_flatstore_entry_id", "timestamp", "feeds_entity_id"},
}


def to_csv(
    settings: Settings,
    portal: Portal,
    resource: Resource,
    folder: Path,
    progress: Progress,
    first_wait: float,
) -> Path:
    """Write a datastore table as UTF-8 CSV with commas, its columns in the portal's order.

    Raises:
        TerminalError: the resource has no datastore table, or it is too big.
        TransientError: the portal cannot be reached, or the table changed between two pages.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^\w.-]+", "_", resource.name or resource.id).strip("._")[-80:] or "table"
    path = folder / f"{name}.csv"
    part = folder / "table.part"
    with (
        http.client(settings) as client,
        room(folder, 0),
        part.open("w", encoding="utf-8", newline="") as out,
    ):
        writer = csv.writer(out, lineterminator="\n")
        columns: list[str] = []
        rows, total = 0, None
        while True:
            page = _page(settings, client, portal, resource, rows, first_wait)
            columns, total = _same(portal, resource, page, columns, total)
            if rows == 0:
                writer.writerow(columns)
            records = page.get("records") or []
            if not records:
                break
            writer.writerows([_text(r.get(c)) for c in columns] for r in records)
            rows += len(records)
            if rows // _TELL_ROWS > (rows - len(records)) // _TELL_ROWS:
                progress.say(f"downloaded {rows:,} of {total or '?'} rows")
            _within(settings, out.tell(), _where(portal, resource))
    if total is not None and rows != total:
        raise TransientError(
            f"The datastore sent {rows:,} of {total:,} rows.",
            where=_where(portal, resource),
            fix="Run it again; if it stays so, name the file instead of the datastore.",
        )
    part.replace(path)
    return path


def _within(settings: Settings, size: int, where: str) -> None:
    if size > settings.max_download:
        raise TerminalError(
            f"The table has more than {settings.max_download:,} bytes.",
            where=where,
            fix="If it is meant to be so big, raise YUPANA_MAX_DOWNLOAD.",
        )


def _page(
    settings: Settings,
    client: httpx.Client,
    portal: Portal,
    resource: Resource,
    offset: int,
    first_wait: float,
) -> dict[str, Any]:
    params = {"resource_id": resource.id, "limit": str(_PAGE), "offset": str(offset)}
    if portal.kind == "ckan":
        url = f"{portal.api}/datastore_search"
        # Without an order, two pages may hold the same row.
        params["sort"] = "_id"
    else:
        url = f"{portal.base}/api/action/datastore/search.json"
    try:
        page = result_of(http.get_json(settings, client, url, params, first_wait), url)
    except http.RefusedError as error:
        if error.status != 404:
            raise
        page = None
    if isinstance(page, dict) and isinstance(page.get("fields"), list):
        return page
    raise TerminalError(
        "The resource has no table in the portal's datastore.",
        where=_where(portal, resource),
        fix="Name a resource that is a file; not every one is loaded into the datastore.",
    )


def _same(
    portal: Portal, resource: Resource, page: dict[str, Any], columns: list[str], total: int | None
) -> tuple[list[str], int | None]:
    """Columns and number of rows of a page, which must be those of the pages before."""
    own = _OWN_COLUMNS[portal.kind]
    now = [str(f["id"]) for f in page["fields"] if str(f["id"]) not in own]
    # DKAN writes the number as text.
    count = None if page.get("total") is None else int(page["total"])
    if columns and (now, count) != (columns, total):
        raise TransientError(
            "The table changed while it was read.",
            where=_where(portal, resource),
            fix="Run it again: the portal was loading a new version.",
        )
    return now, count


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _where(portal: Portal, resource: Resource) -> str:
    return f"{http.masked(portal.base)}, datastore {resource.id}"
