"""What a search for options found, kept in a file that is named by its content."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from yupana.config.settings import Settings
from yupana.core import whole_file
from yupana.core.errors import UsageError
from yupana.core.hashing import value_sha256


def save(settings: Settings, use_case: str, result: dict[str, Any]) -> str:
    """Write what was found, with its `options`; returns its reference `tuning:<hash>`."""
    digest = value_sha256(result)[:16]
    whole_file.write_json(_path(settings, use_case, digest), result)
    return f"tuning:{digest}"


def load(settings: Settings, use_case: str, ref: str) -> dict[str, Any]:
    """The options that a search found.

    Raises:
        UsageError: there is no such search.
    """
    path = _path(settings, use_case, ref.removeprefix("tuning:"))
    if not path.exists():
        raise UsageError(
            f"There is no tuning '{ref}' of '{use_case}'.",
            where=str(path),
            fix=f"Run `yupana tune {use_case}` and give the reference that it prints.",
        )
    return dict(json.loads(path.read_text())["options"])


def storage(settings: Settings, use_case: str) -> Path:
    """The SQLite file of the use case's studies."""
    return settings.home / "tuning" / f"{use_case}.db"


def _path(settings: Settings, use_case: str, digest: str) -> Path:
    return settings.home / "tuning" / f"{use_case}-{digest}.json"
