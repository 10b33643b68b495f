"""A file that is written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from yupana.core.errors import UsageError


@contextmanager
def replacing(path: Path, what: str) -> Iterator[IO[bytes]]:
    """A stream whose bytes take the file's place at the end; the old file stays if it fails.

    Args:
        what: what is written, for the error: "The export".

    Raises:
        UsageError: it cannot be written there.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
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
