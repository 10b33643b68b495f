"""The ledger as a file: written for a check elsewhere, and checked as one does there."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core import whole_file
from yupana.core.errors import UsageError
from yupana.core.progress import Progress
from yupana.ledger import entries, verifier, witness
from yupana.ledger.canonical import canonical
from yupana.ledger.verifier import Report

_TELL = 200_000


def checked(
    path: Path, key: str, progress: Progress, *, also: Iterable[Path] = (),
    roots: Iterable[Path] = (),
) -> Report:  # fmt: skip
    """Check an export as the stand-alone verifier does.

    Args:
        key: the public key, 64 hexadecimal digits.
        also: witness files.
        roots: files of published roots.

    Raises:
        UsageError: a file, or the key, is not what it should be.
    """
    try:
        return verifier.verify(
            counted(verifier.lines_of(path), progress),
            key,
            witnesses=[verifier.lines_of(path) for path in also],
            roots=itertools.chain(*map(verifier.lines_of, roots)),
        )
    except (OSError, ValueError) as error:
        raise UsageError(
            f"The export cannot be checked: {error}.",
            where=str(path),
            fix="Name the files that `yupana audit export` and `yupana audit key` wrote.",
        ) from error


def write(settings: Settings, path: Path, progress: Progress, now: datetime) -> int:
    """Write all events and a signed checkpoint; the number of events.

    Raises:
        UsageError: nothing was recorded yet, or the file cannot be written.
    """
    head = entries.newest(settings.platform_db)
    if head is None:
        raise UsageError(
            "Nothing was recorded yet.",
            where="the ledger",
            fix="Run a step first, for example `yupana ingest DATASET`.",
        )
    mark = canonical(witness.checkpoint(settings, head.seq, head.hash, now))
    lines = (line for *_, line in entries.rows(settings.platform_db, head.seq))
    with whole_file.replacing(path, "The export") as out:
        for line in counted(lines, progress, head.seq):
            out.write(line + b"\n")
        out.write(f"{mark}\n".encode())
    return head.seq


def counted(lines: Iterable[bytes], progress: Progress, total: int = 0) -> Iterator[bytes]:
    """The lines, told of now and then."""
    for number, line in enumerate(lines, 1):
        if number % _TELL == 0:
            progress.say(f"{number:,} events" + (f" of {total:,}" if total else ""))
        yield line
