"""From a published version back to its file: commit, landing records, audit."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from yupana.config.settings import Settings
from yupana.data import catalogue, contract, history


def named(settings: Settings, reference: str) -> tuple[str, int | None] | None:
    """(data set, version) of `name` or `name@3`; None when it names no data set."""
    name, _, version = reference.partition("@")
    if name not in contract.names(settings.root) or not (version.isdigit() or "@" not in reference):
        return None
    return name, int(version) if version else None


def of_version(settings: Settings, name: str, version: int | None) -> dict[str, Any]:
    """Where a published version comes from; None takes the newest.

    Returns:
        ref, publication (`history.Publication`), landed (each time its file came: when, whence,
        what the server or portal said; empty when the file is no longer kept) and audit
        (success, rules, broken, page; None for objects or when it is no longer kept).

    Raises:
        UsageError: no publication has this version.
        TerminalError: nothing was published yet.
    """
    known = history.at_version(settings.table("published", name), version)
    return {
        "ref": f"delta:published/{name}@{known.version}",
        "publication": asdict(known),
        "landed": _landed(settings, name, known.source_sha256),
        "audit": _audit(settings, name, known.validation),
    }


def _landed(settings: Settings, name: str, sha256: str) -> list[dict[str, Any]]:
    path = settings.home / "landing" / name / sha256 / "landed.json"
    if not path.exists():
        return []
    found = json.loads(path.read_text("utf-8"))
    return list(found) if isinstance(found, list) else [found]


def _audit(settings: Settings, name: str, validation: str) -> dict[str, Any] | None:
    page = catalogue.validation_page(settings, name, validation)
    path = settings.reports / "validation" / f"{name}-{validation}.json"
    if not path.exists():
        return None
    told = json.loads(path.read_text("utf-8"))
    results = [r["result"] for r in told["results"]]
    return {
        "success": told["success"],
        "rules": len(results),
        "broken": sum(r.get("unexpected_count") or 0 for r in results),
        "page": page,
    }
