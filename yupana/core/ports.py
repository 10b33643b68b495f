"""Ports of this machine's own interface."""

from __future__ import annotations

import socket

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen there; 0: the system will choose one."""
    try:
        _bound(port)
    except OSError:
        return False
    return True


def free(wanted: int = 0) -> int:
    """The wanted port if it is free, else any that is.

    Raises:
        OSError: this machine has none left.
    """
    return _bound(wanted if is_free(wanted) else 0)


def answers(port: int) -> bool:
    """Whether a server listens there."""
    try:
        socket.create_connection((HOST, port), 1).close()
    except OSError:
        return False
    return True


def _bound(port: int) -> int:
    with socket.socket() as probe:
        # As a server does: a port that was in use a minute ago is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, port))
        return int(probe.getsockname()[1])
