"""Sail: a Rust engine that speaks Spark Connect and writes Delta, without Java.

https://docs.lakesail.com/sail/latest/
"""

from __future__ import annotations

import os
import re
import sys
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.core.ports import HOST

if TYPE_CHECKING:
    from pysail.spark import SparkConnectServer

_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def start(settings: Settings) -> str:
    """Start the server of this process, if it does not run; it ends with the process.

    Returns:
        Its address, on this machine's own interface.
    """
    os.environ.update(environment(settings))
    host, port = _server().listening_address
    return f"sc://{host}:{port}"


# Cached also because a server that nothing refers to stops.
@lru_cache(maxsize=1)
def _server() -> SparkConnectServer:
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer(HOST, 0)
    server.start(background=True)
    return server


def command(port: int) -> list[str]:
    """The command line of a server that several processes share."""
    return [sys.executable, "-m", "pysail", "spark", "server", "--ip", HOST, "--port", str(port)]


def environment(settings: Settings) -> dict[str, str]:
    """How Sail is bounded: memory, temporary files, and words in the log.

    Raises:
        UsageError: `engine_memory` is not a size.
    """
    temporary = settings.home / "engine"
    temporary.mkdir(parents=True, exist_ok=True)
    return {
        # Fair: an operator that holds much is made to spill, so that others get their share.
        "SAIL_RUNTIME__MEMORY_POOL__TYPE": "fair",
        "SAIL_RUNTIME__MEMORY_POOL__FAIR__MAX_SIZE": str(size(settings.engine_memory)),
        "SAIL_RUNTIME__TEMPORARY_FILES__PATHS": f'["{temporary}"]',
        "RUST_LOG": os.environ.get("RUST_LOG", "error"),
    }


def size(text: str) -> int:
    """Bytes of a size as a JVM writes it: 512m, 2g.

    Raises:
        UsageError: it is none.
    """
    parts = re.fullmatch(r"(\d+)([kmgt]?)b?", text.strip().lower())
    if not parts:
        raise UsageError(
            f"'{text}' is not a size of memory.",
            where="YUPANA_ENGINE_MEMORY",
            fix="Write it as 512m or 2g.",
        )
    return int(parts[1]) * _UNITS.get(parts[2], 1)


def name() -> str:
    """Name and version."""
    return f"Sail {version('pysail')}"
