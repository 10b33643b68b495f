"""Apache Spark with Delta: a JVM of this process, tuned for small tables on few cores.

The JVM serves Spark Connect on this machine alone, behind a token, and ends with its starter,
however that ends: PySpark's gateway reads a pipe that the starter holds.
https://spark.apache.org/docs/latest/spark-connect-overview.html
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core import ports
from yupana.core.errors import TerminalError
from yupana.core.ports import HOST
from yupana.core.progress import Progress
from yupana.data.engine import jars, memory

JAVA_OLDEST = 17
JAVA = (
    "apt install openjdk-17-jre-headless; or put a Java 17 or newer first on PATH (where JAVA_HOME "
    "is set, Spark takes that one)"
)
# A short job on few cores: the optimising compiler costs more than it gives back.
# Its compiler's own default of 48 MB for code is full after five ingests; all get slower then.
QUICK_START = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:ReservedCodeCacheSize=256m"
THROUGHPUT = "-XX:+UseParallelGC"
# Bytes of Parquet from which throughput wins: at 6 MB it halves the CPU time.
_BIG = 4 << 20
# What Spark itself asks for at least (UnifiedMemoryManager: 1.5 times its reserve of 300 MiB).
_LEAST_MEMORY = 450 << 20
CALL_SITES = "spark.python.sql.dataFrameDebugging.enabled"
_SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"


def start(settings: Settings, progress: Progress, input_bytes: int) -> str:
    """Start this process's JVM, if it does not run.

    Returns:
        The address of its Spark Connect server, with the token.

    Raises:
        TerminalError: there is no Java, or no Delta JAR to be had.
        TransientError: a JAR's download failed.
    """
    if not _running:
        java = settings.spark_java_options or (THROUGHPUT if input_bytes > _BIG else QUICK_START)
        _running.append(_start(settings, progress, java))
    return _running[0]


# The address of this process's JVM, once it runs.
_running: list[str] = []


def _start(settings: Settings, progress: Progress, java: str) -> str:
    from pyspark import SparkConf, SparkContext

    port, token = ports.free(), secrets.token_urlsafe(24)
    conf = SparkConf().setAppName("yupana").setMaster(settings.spark_master)
    conf.setAll(list(options(settings, progress, java).items()))
    conf.set("spark.plugins", "org.apache.spark.sql.connect.SparkConnectPlugin")
    conf.setAll(list(_connect_options(port).items()))
    conf.set("spark.connect.authenticate.token", token)
    # Set by a session with another engine; under it no JVM would be started.
    os.environ.pop("SPARK_CONNECT_MODE_ENABLED", None)
    # The JVM starts Python workers by name: this environment's, activated or not.
    os.environ["PYSPARK_PYTHON"] = sys.executable
    SparkContext.getOrCreate(conf)
    # Local credentials, which let the token pass without TLS, are for this very name.
    return f"sc://localhost:{port}/;token={token}"


def command(settings: Settings, progress: Progress, port: int) -> list[str]:
    """The command line of a server that several processes share, on this machine alone.

    The server's class and JAR come with pyspark, its start script does not.

    Raises:
        TerminalError: Spark or Java is not installed, or a Delta JAR is not to be had.
    """
    package = find_spec("pyspark")
    if package is None or package.origin is None:
        raise TerminalError("Spark is not installed here.", fix="Run `make setup`.")
    java = settings.spark_java_options or THROUGHPUT
    conf = {**options(settings, progress, java), **_connect_options(port)}
    submit = [str(Path(package.origin).parent / "bin" / "spark-submit"), "--class", _SERVER]
    submit += ["--name", "yupana", "--master", settings.spark_master]
    for key, value in conf.items():
        submit += ["--conf", f"{key}={value}"]
    return [*submit, "spark-internal"]


def environment(token: str) -> dict[str, str]:
    """What the shared server's environment adds: the token, which on its command line everybody
    could read. It must not take itself for a client."""
    return {"SPARK_CONNECT_MODE": "0", "SPARK_CONNECT_AUTHENTICATE_TOKEN": token}


def options(settings: Settings, progress: Progress, java: str) -> dict[str, str]:
    """What a JVM is started with; makes its folders and fetches absent JARs.

    Raises:
        TerminalError: there is no Java, or a JAR is not the pinned one.
        TransientError: a JAR's download failed.
    """
    must_have_java()
    memory.size(settings.engine_memory, _LEAST_MEMORY)
    jars.fetch(settings.cache, progress)
    temporary = settings.home / "engine"
    temporary.mkdir(parents=True, exist_ok=True)
    return {
        "spark.driver.extraClassPath": ":".join(str(p) for p in jars.paths(settings.cache)),
        "spark.driver.memory": settings.engine_memory,
        "spark.driver.extraJavaOptions": java,
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.warehouse.dir": str(temporary / "warehouse"),
        "spark.local.dir": str(temporary),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        # Delta's and Spark's defaults are made for clusters: measured 10-30 times slower here.
        "spark.sql.shuffle.partitions": "4",
        "spark.databricks.delta.snapshotPartitions": "1",
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": "2",
        "spark.driver.bindAddress": HOST,
        "spark.driver.host": HOST,
        "spark.log.level": "ERROR",
        CALL_SITES: "false",
    }


def must_have_java() -> None:
    """Refuse to start Spark without Java.

    Raises:
        TerminalError: none is on PATH, or it is too old.
    """
    major = java_version()
    if major < JAVA_OLDEST:
        raise TerminalError(
            f"Apache Spark needs Java {JAVA_OLDEST} or newer; this machine has {major or 'none'}.",
            where="YUPANA_ENGINE=spark",
            fix=f"{JAVA}. Or unset YUPANA_ENGINE: Sail needs no Java.",
        )


def java_version() -> int:
    """Major version of the Java that Spark would start; 0 when there is none."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which(f"{home}/bin/java" if home else "java")
    if java is None:
        return 0
    words = subprocess.run([java, "-version"], capture_output=True, text=True).stderr
    major = re.search(r'version "(\d+)', words)
    return int(major[1]) if major else 0


def _connect_options(port: int) -> dict[str, str]:
    return {
        "spark.connect.grpc.binding.address": HOST,
        "spark.connect.grpc.binding.port": str(port),
    }


def name() -> str:
    """Name and version."""
    return f"Apache Spark {version('pyspark')} with delta-spark {version('delta-spark')}"
