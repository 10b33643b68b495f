"""A Spark Connect server that runs already: shared by `yupana up`, or a cluster's."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path
from urllib.parse import urlsplit

from yupana.config.settings import Settings
from yupana.core import private_file
from yupana.core.errors import TransientError, UsageError

ANSWER_SECONDS = 5
PORT = 15002


def address(settings: Settings, engine: str) -> str:
    """The address of a server that answers, with the token for it.

    Args:
        engine: `sc://host:port`.

    Raises:
        UsageError: it is not an address.
        TransientError: no server is there; the client itself would try for ten minutes.
    """
    parts = urlsplit(engine)
    if not parts.hostname:
        raise UsageError(
            f"'{engine}' is not the address of a Spark Connect server.",
            where="YUPANA_ENGINE",
            fix="Write it as sc://127.0.0.1:15002.",
        )
    if not answers(engine):
        raise TransientError(
            "The shared engine does not answer.",
            where=f"{parts.hostname}:{parts.port or PORT}",
            fix="Start it with `yupana up`, or unset YUPANA_ENGINE for an engine of your own.",
        )
    if settings.engine_token is None:
        return engine
    return f"{engine.rstrip('/')}/;token={settings.engine_token.read_text().strip()}"


def answers(address: str) -> bool:
    """Whether a server listens at an address (`sc://host:port`), asked for at most 5 s."""
    parts = urlsplit(address)
    try:
        socket.create_connection((parts.hostname, parts.port or PORT), ANSWER_SECONDS).close()
    except OSError:
        return False
    return True


def token(settings: Settings) -> Path:
    """File with the token of this home's shared server, made once, for this user's eyes alone."""
    path = settings.engine_token or settings.home / "keys" / "engine.token"
    private_file.create(path, lambda: secrets.token_urlsafe(24))
    return path
