"""Hashes that name things: bytes, values and code."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_BLOCK = 1 << 20


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def value_sha256(value: Any) -> str:
    """SHA-256 of a JSON-able value in canonical form (sorted keys, no spaces)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def files_sha256(paths: Iterable[Path]) -> str:
    """SHA-256 over the contents of several files, in name order."""
    return value_sha256([(p.name, file_sha256(p)) for p in sorted(paths)])


def pseudonym(key: bytes, domain: str, value: str | None) -> str | None:
    """32 hexadecimal digits for a value in its domain; None stays None."""
    if value is None:
        return None
    return hmac.new(key, f"{domain}:{value}".encode(), hashlib.sha256).hexdigest()[:32]
