"""Where a contract says that its files are: inside the project, with dates and pages that hold."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from yupana.data.columns_check import Fault
from yupana.data.sources import many, pages


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
    if wrong := many.fault(location):
        fix = "Write {date} (as 2024-03-05), or such as {date:yyyyMMdd}, in a path or an address."
        yield Fault(wrong, field, fix)
    options = {o.get("property"): o.get("value") for o in content.get("customProperties") or []}
    found = pages.wrong(location, options.get("next"), str(server.get("format", "csv")))
    if found:
        yield Fault(found[0], field, found[1])


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
    """Whether a path leads into the project; links in it are not followed."""
    # Not `resolve`: a link that the operator put into the project may lead out of it.
    home, whole = map(os.path.abspath, (root, root / path))
    return not path.startswith("~") and Path(whole).is_relative_to(home)
