"""SHA-256 of what a step leaves: a version of a table, a file, a folder of files."""

from __future__ import annotations

import json
import time
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from yupana.core import plain_files
from yupana.core.hashing import file_sha256, value_sha256

_SETTLED = 1.0
"""Seconds after which a further change of a file gives it another time."""


def of_file(path: Path) -> str:
    """SHA-256 of a file's bytes; of a folder, over the names and hashes of all files below it.

    Raises:
        OSError: it is not there, or cannot be read.
        TerminalError: the folder holds what is no plain file, such as a link.
    """
    if not path.is_dir():
        return file_sha256(path)
    return value_sha256([[name, file_sha256(path / name)] for name in plain_files.names(path)])


def of_table(path: Path, version: int) -> str:
    """SHA-256 over names, bytes and partition values of a Delta version's files, its schema, and
    its commit, which says what it was made from and on which day it was known.

    One pass over compressed bytes: a digest over rows would have to decode and sort them. A file
    that this process has read is not read again while its inode, size and times are the same.

    Raises:
        OSError: a file is not there, or cannot be read.
        Exception: delta-rs has no such version.
    """
    from deltalake import DeltaTable

    table = DeltaTable(str(path), version=version)
    files = [
        [name, part, _unless_read_before(path / unquote(name))] for name, part in _files(table)
    ]
    commit = _unless_read_before(path / "_delta_log" / f"{version:020}.json")
    return value_sha256([commit, json.loads(table.schema().to_json()), files])


def _files(table: Any) -> list[tuple[str, list[str]]]:
    """Name and partition values of each file, by name."""
    actions = table.get_add_actions(flatten=True)
    names = actions.column("path").to_pylist()
    parts = [name for name in actions.schema.names if name.startswith("partition.")]
    columns = [[str(value) for value in actions.column(part).to_pylist()] for part in parts]
    return sorted((name, [column[i] for column in columns]) for i, name in enumerate(names))


def _unless_read_before(path: Path) -> str:
    stat = path.stat()
    if time.time() - stat.st_ctime < _SETTLED:
        return file_sha256(path)
    # Who writes to a file can set back its modification time, but not the time of its inode.
    return _read(path, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


@lru_cache(maxsize=1 << 14)
def _read(path: Path, *_state: int) -> str:
    return file_sha256(path)
