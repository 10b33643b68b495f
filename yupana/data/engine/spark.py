"""One Spark session with Delta, tuned for small tables on few cores.

The session is a JVM of this process, or a client of the shared server at `settings.spark_remote`
(Spark Connect). Code above this module must work in both: data frames and SQL, never
`sparkContext`, RDDs or the JVM gateway.
"""

from __future__ import annotations

import socket
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from yupana.config.settings import Settings
from yupana.core.errors import TransientError, UsageError
from yupana.data.engine import jars

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ANSWER_SECONDS = 5
# A short job on few cores: the optimising compiler costs more than it gives back.
QUICK_START = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
THROUGHPUT = "-XX:+UseParallelGC"
# Bytes of text from which throughput wins: at 58 MB it halves the CPU time (docs/benchmark.md).
_BIG = 32 << 20


@lru_cache(maxsize=1)
def session(settings: Settings, input_bytes: int = 0) -> SparkSession:
    """The process's Spark session: 8-13 s for a JVM of its own, under 1 s for a shared server.

    Args:
        input_bytes: about how much will be read; chooses how a new JVM is tuned.

    Raises:
        TerminalError: the Delta JARs were not fetched.
        UsageError: `spark_remote` is not an address.
        TransientError: the shared server does not answer.
    """
    from pyspark.sql import SparkSession

    if settings.spark_remote:
        _must_answer(settings.spark_remote)
        shared: SparkSession = SparkSession.builder.remote(settings.spark_remote).getOrCreate()
        return shared
    builder = SparkSession.builder.appName("yupana").master(settings.spark_master)
    java = settings.spark_java_options or (THROUGHPUT if input_bytes > _BIG else QUICK_START)
    for key, value in options(settings, java).items():
        builder = builder.config(key, value)
    made: SparkSession = builder.getOrCreate()
    return made


def options(settings: Settings, java: str) -> dict[str, str]:
    """What a JVM is started with, a process's own or the shared server; makes its folders.

    Raises:
        TerminalError: the Delta JARs were not fetched.
    """
    temporary = settings.home / "spark"
    temporary.mkdir(parents=True, exist_ok=True)
    return {
        "spark.driver.extraClassPath": ":".join(str(p) for p in jars.paths(settings.cache)),
        "spark.driver.memory": settings.spark_memory,
        "spark.driver.extraJavaOptions": java,
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.warehouse.dir": str(temporary / "warehouse"),
        "spark.local.dir": str(temporary),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        # Delta's and Spark's defaults are made for clusters: measured 10-30 times slower here.
        "spark.sql.shuffle.partitions": "4",
        "spark.databricks.delta.snapshotPartitions": "1",
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": "2",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.log.level": "ERROR",
    }


def _must_answer(remote: str) -> None:
    """Say at once that no server is there: the client itself would try for ten minutes."""
    parts = urlsplit(remote)
    if parts.scheme != "sc" or not parts.hostname:
        raise UsageError(
            f"'{remote}' is not the address of a Spark Connect server.",
            where="YUPANA_SPARK_REMOTE",
            fix="Write it as sc://127.0.0.1:15002, or leave it empty for a Spark of your own.",
        )
    try:
        socket.create_connection((parts.hostname, parts.port or 15002), ANSWER_SECONDS).close()
    except OSError as error:
        raise TransientError(
            "The shared Spark server does not answer.",
            where=remote,
            fix="Start it with `yupana up`, or unset YUPANA_SPARK_REMOTE for a Spark of your own.",
        ) from error
