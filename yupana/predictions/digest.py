"""The digest of a group of records, by which the ledger's event seals them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from yupana.predictions import version1

NEWEST = 3
"""The version that new events have as `digest`; events from before there were versions, 1."""

_sha256 = hashlib.sha256
_encode = json.JSONEncoder(default=str).encode


def row_text(row: Sequence[Any]) -> str:
    """A row as JSON text: what is written, and what is hashed."""
    return _encode(row)


def joined(rows: Sequence[str]) -> str:
    """The text of some rows as one."""
    return f"[{', '.join(rows)}]"


def root(rows: Sequence[str]) -> str:
    """The newest digest: the Merkle root (RFC 6962) with a leaf for each row's text, at least one.

    A leaf and the hashes beside its way up prove one answer without showing the others.
    """
    level = [_sha256(b"\0" + row.encode()).digest() for row in rows]
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        odd = level[-1:] if len(level) % 2 else []
        level = [_sha256(b"\1" + left + right).digest() for left, right in pairs] + odd
    return level[0].hex()


def digest(rows: Sequence[Sequence[Any]], version: int = NEWEST) -> str:
    """The digest (hexadecimal) of rows of `prediction_records`, without their numbers.

    Raises:
        KeyError: no such version, or a row that could not be of it.
        ValueError: a row's parameters are no JSON any more.
    """
    return _DIGESTS[version](rows)


def _of_text(rows: Sequence[Sequence[Any]]) -> str:
    return _sha256(joined([row_text(row) for row in rows]).encode()).hexdigest()


_DIGESTS: dict[int, Callable[[Sequence[Sequence[Any]]], str]] = {
    1: lambda rows: _of_text([version1.hashed_row(row) for row in rows]),
    2: _of_text,
    3: lambda rows: root([row_text(row) for row in rows]),
}
