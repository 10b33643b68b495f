"""The key of this machine: made on first use, so that `yupana serve` and `ask` need no set-up."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from yupana.core import private_file
from yupana.core.errors import TerminalError, UsageError
from yupana.core.locks import one_at_a_time
from yupana.core.progress import Lines
from yupana.identity import api_keys
from yupana.identity.keyring import Keyring

AGENCY = "local"


def local_key(url: str, home: Path) -> str:
    """The key in `keys/service.key` of home, readable by its owner alone; made when not good.

    Args:
        url: the platform database.

    Raises:
        TerminalError: others may read the file.
    """
    path = home / "keys" / "service.key"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with one_at_a_time(path.with_suffix(".lock"), "the local key", Lines()):
        if path.exists():
            return _renewed(url, path)
        return _create(url, path)


def _renewed(url: str, path: Path) -> str:
    if private_file.is_open(path):
        raise TerminalError(
            "Others may read the key of this machine's service.",
            where=str(path),
            fix=f"Delete {path}; a new key is made. Look at `yupana keys list --agency {AGENCY}` "
            "and revoke the one that was open.",
        )
    presented = path.read_text().strip()
    ring = Keyring(url)
    ring.refresh()
    _, reason = ring.check(presented, time.time())
    return _create(url, path) if reason else presented


def _create(url: str, path: Path) -> str:
    terms = api_keys.Terms(AGENCY, ("*:*",), role="ml-engineer", quota="none", rate="none")
    key = api_keys.create(url, terms, now=datetime.now(UTC), by="yupana serve")
    private_file.replace(path, f"{key}\n")
    return key


def of_service(url: str, home: Path, service_key: Path | None, address: str) -> str:
    """The key for a service at an address; this machine's own never leaves it.

    Args:
        url: the platform database.
        service_key: a file that holds the key for services elsewhere.

    Raises:
        UsageError: the service is elsewhere, and there is no such file.
    """
    if service_key:
        return read(service_key)
    if urlsplit(address).hostname in ("127.0.0.1", "localhost", "::1"):
        return local_key(url, home)
    raise UsageError(
        "A service elsewhere needs a key.",
        where="YUPANA_SERVICE_KEY",
        fix="Write the key into a file with mode 600 and name the file in this variable.",
    )


def read(path: Path) -> str:
    """A key from a file that its owner made.

    Raises:
        UsageError: the file is not there.
    """
    try:
        return path.read_text().strip()
    except OSError as error:
        raise UsageError(
            f"The key cannot be read: {error.strerror}.",
            where=str(path),
            fix="Write the key that `yupana keys create` printed into the file, with mode 600.",
        ) from error
