"""Ports of this machine's own interface."""

from __future__ import annotations

import socket

from yupana.core.errors import UsageError

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen there; 0: the system will choose one."""
    try:
        _bound(port)
    except OSError:
        return False
    return True


def free(port: int = 0) -> int:
    """This port if it is free, else any that is.

    Raises:
        OSError: this machine has none left.
    """
    return _bound(port if is_free(port) else 0)


def demand_free(port: int, setting: str) -> None:
    """Refuse a port that is taken.

    Args:
        setting: the variable that sets it, for the fix.

    Raises:
        UsageError: it is; names the process that holds it, where the system says so.
    """
    if is_free(port):
        return
    raise UsageError(
        f"The port {port} is taken by {holder(port) or 'a process of another user'}.",
        where=f"{HOST}:{port}",
        fix=f"Stop that process, or set {setting} to a free port.",
    )


def holder(port: int) -> str:
    """Who listens on a port: its number and command; empty where the system does not say."""
    import psutil

    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,)
            if listens and connection.pid:
                process = psutil.Process(connection.pid)
                return f"process {process.pid} ({' '.join(process.cmdline())[:80]})"
    except (psutil.AccessDenied, psutil.NoSuchProcess):
        return ""
    return ""


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
