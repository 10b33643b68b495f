"""Where a contract says that its files are: inside the project, with dates and pages that hold."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from yupana.core.errors import TerminalError
from yupana.data.contracts import locations
from yupana.data.contracts.checks.columns import Fault, Slip


def faults(content: dict[str, Any], root: Path) -> Iterator[Fault]:
    """What is wrong with the place of a contract's files."""
    for number, server in enumerate(content.get("servers") or []):
        for name in ("path", "location"):
            if server.get(name):
                field = ("servers", number, name)
                yield from _place(str(server[name]), field, content, server, root)


def _place(
    location: str,
    field: tuple[str | int, ...],
    content: dict[str, Any],
    server: dict[str, Any],
    root: Path,
) -> Iterator[Fault]:
    if not all(inside(path, root) for path in _paths(location)):
        yield Fault(
            f"the source '{location}', which lies outside of the project",
            field,
            "Name a path in the project, such as samples/cases.csv; a person who runs it may give "
            "any other by --source.",
        )
    if wrong := locations.fault(location):
        fix = "Write {date} (as 2024-03-05), or such as {date:yyyyMMdd}, in a path or an address."
        yield Fault(wrong, field, fix)
    options = {o.get("property"): o.get("value") for o in content.get("customProperties") or []}
    if slip := _paging(location, options.get("next"), str(server.get("format", "csv"))):
        yield slip.at(*field)


def _paging(location: str, next_field: Any, format: str) -> Slip | None:
    """What is wrong with a contract's pages, and what to do; None where nothing is."""
    if next_field is not None and (not isinstance(next_field, str) or not next_field):
        return Slip(f"next: {next_field}", 'Name the field, such as "@odata.nextLink".')
    if not locations.is_paged(location, next_field):
        if next_field:
            return Slip("next, and no address with pages", "It is for https://… alone.")
        return None
    if next_field and (format != "json" or locations.PAGE.search(location)):
        fix = "Either pages of JSON name the next one, or the address has {offset} or {page}."
        return Slip("next beside another way to ask for pages", fix)
    if format not in ("csv", "json"):
        return Slip(f"pages of {format}", "Pages may be csv or json.")
    if len(locations.PAGE.findall(location)) > 1:
        return Slip("two places for a page's number", "Use one of {offset} and {page}.")
    return None


def _paths(location: str) -> Iterator[str]:
    """The paths that a location may be read as; none of an address."""
    if "://" not in location:
        yield location
    try:
        parts = urlsplit(location)
    except ValueError:
        return
    # As `sources.fetch` reads it: what is encoded, and what comes before `?` and `#`.
    if parts.scheme == "file":
        yield unquote(parts.path)


def inside(path: str, root: Path) -> bool:
    """Whether a path leads into the project as it is written; `refuse_link` looks behind links."""
    home, whole = map(os.path.abspath, (root, root / path))
    return not path.startswith("~") and Path(whole).is_relative_to(home)


def behind_link(location: str, root: Path) -> bool:
    """Whether a link on the way leads a contract's path (or its pattern's folder) out of the
    project."""
    # Not `Path.resolve`: it stops at links in a circle.
    home = os.path.realpath(root)
    whole = (Path(os.path.realpath(root / path)) for path in _paths(location))
    return not all(path.is_relative_to(home) for path in whole)


def refuse_link(location: str, root: Path) -> None:
    """Hold a location of a contract, or a file that it means, to the project.

    Raises:
        TerminalError: a link leads out of it; nothing behind it has been read.
    """
    if behind_link(location, root):
        raise TerminalError(
            "A link leads out of the project, and a contract reads nothing outside of it.",
            where=location,
            fix="Put the file itself there; a person who runs it may give one elsewhere by "
            "--source.",
        )
