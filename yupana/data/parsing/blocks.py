"""Bytes that come in blocks, read as a file."""

from __future__ import annotations

from collections.abc import Iterator


class Blocks:
    """A stream of bytes for a parser, read once from front to back."""

    closed = False

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._ready = blocks, b""

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; none at the end. Raises what the blocks' maker raises."""
        while size < 0 or len(self._ready) < size:
            block = next(self._blocks, None)
            if block is None:
                break
            self._ready += block
        out = self._ready if size < 0 else self._ready[:size]
        self._ready = self._ready[len(out) :]
        return out

    def put_back(self, content: bytes) -> None:
        """Have bytes read again."""
        self._ready = content + self._ready
