"""A drop folder is one stream's alone: it deletes what it takes, and another may not read there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from yupana.core.errors import TerminalError
from yupana.data.contracts import file, locations
from yupana.data.contracts.checks import stream
from yupana.data.contracts.checks.columns import Fault


def faults(label: str, content: dict[str, Any], root: Path) -> Iterator[Fault]:
    """The other contracts whose files lie in the drop folder of this one; nothing for others.

    Args:
        label: this contract's file, from the project's folder.
    """
    folder = _drop(content)
    if folder is None:
        return
    for path in sorted((root / "expectations").glob("*/contract.yaml")):
        other = str(path.relative_to(root))
        if other != label and any(_is_in(place, folder) for place in _places(path, other, root)):
            fix = "Write drop:inbox/<folder> with a folder that no other data set reads."
            what = f"the drop folder '{folder}', from which {path.parent.name} is read too"
            yield Fault(what, ("servers", 0), fix)


def _drop(content: dict[str, Any]) -> PurePosixPath | None:
    location = stream.location(content["servers"][0], content["schema"][0])
    return PurePosixPath(location[5:]) if location.startswith("drop:") else None


def _places(path: Path, label: str, root: Path) -> Iterator[PurePosixPath]:
    """Where a contract's files are: paths from the project's folder, with `*` and `?`."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        if "inbox" not in text and not re.search("[*?%]", text):
            return  # Reading YAML takes long, and no place in it can be a drop folder.
        content = file.content(path, label).content
        servers = [s for s in content["servers"] if isinstance(s, dict)]
    # It does not load either, and says so when it is asked for.
    except (TerminalError, KeyError, TypeError, OSError):
        return
    for server in servers:
        location = str(server.get("path") or server.get("location") or "")
        if (folder := location.removeprefix("drop:")) != location:
            yield PurePosixPath(folder, "*")
        elif locations.is_local(location) or location.lower().startswith("file:"):
            local = locations.pattern(location) if locations.is_local(location) else (
                unquote(urlsplit(location).path)
            )  # fmt: skip
            home, whole = map(Path, map(os.path.abspath, (root, root / local)))
            if whole.is_relative_to(home):
                yield PurePosixPath(whole.relative_to(home))


def _is_in(place: PurePosixPath, folder: PurePosixPath) -> bool:
    """Whether a place means files of a folder: it is the folder, or what lies directly in it."""
    return any(
        len(means.parts) == len(folder.parts)
        and all(map(fnmatchcase, folder.parts, means.parts))
        for means in (place, place.parent)
    )
