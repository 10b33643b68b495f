"""Sail: a Rust engine that speaks Spark Connect and writes Delta, without Java.

https://docs.lakesail.com/sail/latest/
"""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.core.ports import HOST
from yupana.data.engine import memory

if TYPE_CHECKING:
    from pysail.spark import SparkConnectServer


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
        "SAIL_RUNTIME__MEMORY_POOL__FAIR__MAX_SIZE": str(memory.size(settings.engine_memory)),
        "SAIL_RUNTIME__TEMPORARY_FILES__PATHS": f'["{temporary}"]',
        "RUST_LOG": os.environ.get("RUST_LOG", "error"),
    }


def name() -> str:
    """Name and version."""
    return f"Sail {version('pysail')}"
