"""A file that is written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from yupana.core.errors import UsageError


def write(path: Path, text: str) -> Path:
    """Write a text in UTF-8 and return its path; who reads meanwhile meets the text of before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = _beside(path)
    fresh.write_text(text, encoding="utf-8")
    return fresh.replace(path)


def write_json(path: Path, value: Any) -> Path:
    """As `write`, a value as JSON with a line a field; what JSON has no form for as its text."""
    return write(path, json.dumps(value, ensure_ascii=False, indent=1, default=str))


@contextmanager
def replacing(path: Path, what: str) -> Iterator[IO[bytes]]:
    """A stream whose bytes take the file's place at the end; the old file stays if it fails.

    Args:
        what: what is written, for the error: "The export".

    Raises:
        UsageError: it cannot be written there.
    """
    fresh = _beside(path)
    try:
        with fresh.open("wb") as out:
            yield out
        fresh.replace(path)
    except OSError as error:
        raise UsageError(
            f"{what} cannot be written: {error.strerror}.",
            where=str(path),
            fix="Name a file in a folder that you may write to.",
        ) from error
    finally:
        fresh.unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}")
