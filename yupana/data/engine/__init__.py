"""The engine behind the lake: Sail or Apache Spark, spoken to by Spark Connect alone.

`YUPANA_ENGINE` chooses who answers: `sail` (a server inside this process, no Java), `spark` (a
JVM of this process) or `sc://host:port` (a server that runs already). Code above this module
uses data frames and SQL, never `sparkContext`, RDDs or a JVM gateway, and gives equal tables on
each (tests/parity).
"""

from __future__ import annotations

import atexit
import os
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.core.progress import Progress, Silent

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Kind = Literal["sail", "spark", "remote"]


@dataclass(frozen=True)
class Engine:
    """Who answers: its kind, and the address of a remote one."""

    kind: Kind
    address: str = ""

    def __str__(self) -> str:
        # Parameters of an address may hold a token.
        return self.address.split(";")[0].rstrip("/") or self.kind


def select(settings: Settings) -> Engine:
    """The engine that the settings name.

    Raises:
        UsageError: there is no such engine.
    """
    if settings.engine == "sail":
        return Engine("sail")
    if settings.engine == "spark":
        return Engine("spark")
    if settings.engine.startswith("sc://"):
        return Engine("remote", settings.engine)
    raise UsageError(
        f"There is no engine '{settings.engine}'.",
        where="YUPANA_ENGINE",
        fix="Use sail, spark, or the address of a Spark Connect server: sc://127.0.0.1:15002.",
    )


def name(settings: Settings) -> str:
    """The engine's name and version; of a remote one its address."""
    from yupana.data.engine import sail, spark

    engine = select(settings)
    if engine.kind == "remote":
        return str(engine)
    return sail.name() if engine.kind == "sail" else spark.name()


def session(
    settings: Settings, progress: Progress | None = None, input_bytes: int = 0
) -> SparkSession:
    """This process's session with the engine: under 1 s for Sail, 8-13 s for a JVM.

    Args:
        progress: told of downloads.
        input_bytes: about how much will be read; chooses how a new JVM is tuned.

    Raises:
        UsageError: there is no such engine.
        TerminalError: Spark is chosen, and Java or a Delta JAR is not to be had.
        TransientError: a remote engine does not answer, or a download failed.
    """
    from yupana.data.engine import remote, sail, spark

    engine = select(settings)
    if engine.kind == "sail":
        address = sail.start(settings)
    elif engine.kind == "spark":
        address = spark.start(settings, progress or Silent(), input_bytes)
    else:
        address = remote.address(settings, engine.address)
    return _connect(address)


@lru_cache(maxsize=4)
def _connect(address: str) -> SparkSession:
    from pyspark.sql.connect.client.retries import DefaultPolicy
    from pyspark.sql.connect.session import SparkSession as ConnectSession

    # Functions such as `col` ask the environment which of pyspark's two interfaces is meant.
    os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"
    session: SparkSession = ConnectSession.builder.remote(address).create()
    # Half a minute: by default a process waits ten for an engine that is gone, also at its end.
    session.client.set_retry_policies([DefaultPolicy(max_retries=8, max_backoff=5000)])
    # Closed while threads still run: later, when the interpreter takes it apart, it would wait
    # for one of them for ever.
    atexit.register(_stop, session, address)
    session.conf.set("spark.sql.session.timeZone", "UTC")
    _no_call_sites(session)
    return session


def _no_call_sites(session: SparkSession) -> None:
    """Let no call of the API note where it stands: each would look for IPython in all of sys.path,
    7 % of a small ingest. A Spark that others started may know better."""
    from pyspark.errors import AnalysisException

    from yupana.data.engine.spark import CALL_SITES

    if session.conf.get(CALL_SITES, "true") != "false":
        with suppress(AnalysisException):
            session.conf.set(CALL_SITES, "false")


def _stop(session: SparkSession, address: str) -> None:
    from yupana.data.engine import remote

    # Of a server that is gone, the client would ask the session's release for ten minutes.
    session.release_session_on_close = remote.answers(address)
    session.stop()
