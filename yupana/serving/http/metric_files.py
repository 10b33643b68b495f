"""Files of metrics that a full disk does not turn into the death of the process.

prometheus_client maps files that it has made longer without any space behind them: the first write
to such a page of a full disk is a SIGBUS. Here the space is there before it is mapped; where there
is none, new series are not counted until there is.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from prometheus_client import mmap_dict, values
from prometheus_client.mmap_dict import MmapedDict

_FRAME = 64
"""Bytes of an entry beside its key, and more."""


class AllocatedDict(MmapedDict):
    """A file of metrics whose bytes are all on the disk."""

    def __init__(self, filename: str, read_mode: bool = False) -> None:
        self._place, self._read_mode, self._mapped = Path(filename), read_mode, False
        self._positions: dict[str, int] = {}
        with suppress(OSError):
            self._map()

    def _map(self) -> None:
        if not self._read_mode and not (self._place.exists() and self._place.stat().st_size):
            try:
                with self._place.open("ab") as stream:
                    os.posix_fallocate(stream.fileno(), 0, mmap_dict._INITIAL_MMAP_SIZE)
            except OSError:
                # Who reads the files of all workers could not read an empty one.
                self._place.unlink(missing_ok=True)
                raise
        super().__init__(str(self._place), self._read_mode)
        self._mapped = True

    def _init_value(self, key: str) -> None:
        if not self._mapped:
            self._map()
        capacity = self._capacity
        while self._used + len(key.encode()) + _FRAME > capacity:
            capacity *= 2
        if capacity > self._capacity:
            os.posix_fallocate(self._f.fileno(), 0, capacity)
        super()._init_value(key)

    def read_value(self, key: str) -> tuple[float, float]:
        """Value and time of a series; of one that has no place yet, nothing."""
        try:
            value: tuple[float, float] = super().read_value(key)
        except OSError:
            return 0.0, 0.0
        return value

    def write_value(self, key: str, value: float, timestamp: float) -> None:
        """Keep a value; of a series that has no place yet, the next one may have."""
        try:
            super().write_value(key, value, timestamp)
        except OSError:
            return


def install() -> None:
    """Let prometheus_client use them for metrics that are made from now on."""
    module: Any = values
    module.MmapedDict = AllocatedDict
