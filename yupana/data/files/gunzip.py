"""Gzip members one after another, read as they come (RFC 1952)."""

from __future__ import annotations

import zlib
from typing import Any, BinaryIO

_BLOCK = 1 << 20


class Gunzip:
    """Gzip members one after another; zlib itself checks each one's sum and length."""

    def __init__(self, packed: BinaryIO) -> None:
        self._packed = packed
        self._waiting = b""
        self._member: Any = zlib.decompressobj(31)

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; none at the end.

        Raises:
            EOFError, zlib.error: cut short, or damaged.
        """
        while True:
            block: bytes = self._waiting or self._packed.read(_BLOCK)
            self._waiting = b""
            if self._member.eof:
                if not block:
                    return b""
                # Tapes and some tools pad the end with zeros.
                self._waiting = block.lstrip(b"\0")
                if self._waiting:
                    self._member = zlib.decompressobj(31)
                continue
            out: bytes = self._member.decompress(block, size)
            self._waiting = self._member.unconsumed_tail or self._member.unused_data
            if out:
                return out
            if not block and not self._member.eof:
                raise EOFError("it ends before its end mark")
