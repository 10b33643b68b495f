"""How much memory an engine may have, as a JVM writes it."""

from __future__ import annotations

import re

from yupana.core.errors import UsageError

_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def size(text: str, least: int = 1) -> int:
    """Bytes of a size: 512m, 2g.

    Args:
        least: fewer bytes than these are too few for the engine.

    Raises:
        UsageError: it is none, or no engine could work with so little.
    """
    parts = re.fullmatch(r"(\d+)([kmgt]?)b?", text.strip().lower())
    limit = int(parts[1]) * _UNITS.get(parts[2], 1) if parts else 0
    if limit < least:
        fault = "is too little for the engine" if parts else "is not a size of memory"
        raise UsageError(
            f"'{text}' {fault}.",
            where="YUPANA_ENGINE_MEMORY",
            fix="Write it as 512m or 2g.",
        )
    return limit
