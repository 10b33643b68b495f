"""A real PostgreSQL server for tests, from Debian's packages, on a socket of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

Control = Callable[[str], None]


@contextmanager
def postgres(durable: bool = False) -> Iterator[tuple[str, Control]]:
    """The address of a fresh server, and a function that says `stop` or `start` to it.

    Args:
        durable: commits wait for the disk, as they do where it matters.
    """
    pytest.importorskip("psycopg")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL's server is not on this machine")
    programs, user = found[-1].parent, "postgres" if os.geteuid() == 0 else None
    home = Path(tempfile.mkdtemp(prefix="yupana-pg-", dir="/tmp"))
    if user:
        shutil.chown(home, user)

    def call(program: str, *arguments: str) -> None:
        command = [str(programs / program), "-D", str(home / "data"), *arguments]
        with (home / "log").open("a") as log:
            subprocess.run(command, user=user, cwd=home, stdout=log, stderr=log, check=True)

    def control(what: str) -> None:
        options = f"-k {home} {'' if durable else '-F'} -h ''"
        extra = ["-m", "immediate"] if what == "stop" else ["-o", options]
        call("pg_ctl", "-w", *extra, what)

    call("initdb", "-A", "trust", "-U", "yupana", "-E", "UTF8")
    control("start")
    try:
        yield f"postgresql+psycopg://yupana@/postgres?host={home}", control
    finally:
        subprocess.run(
            [str(programs / "pg_ctl"), "-D", str(home / "data"), "-m", "immediate", "stop"],
            user=user, cwd=home, capture_output=True,
        )  # fmt: skip
        shutil.rmtree(home)


def fresh(server: str) -> str:
    """A database of its own: one ledger has one home."""
    name = f"d{uuid.uuid4().hex}"
    with sa.create_engine(server, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    return server.replace("/postgres?", f"/{name}?")
