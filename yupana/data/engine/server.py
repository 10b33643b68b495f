"""The shared Spark server (Spark Connect): one JVM for all tasks of this machine.

The server's class and JAR come with pyspark, its start script does not, so spark-submit starts
it. Everything static (Delta's extension, JARs, memory) is given here: a client cannot set it.
https://spark.apache.org/docs/latest/spark-connect-overview.html
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.data.engine import spark

HOST = "127.0.0.1"
_SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"


def address(settings: Settings) -> str:
    """Where tasks find the server that `command` starts."""
    return f"sc://{HOST}:{settings.spark_port}"


def command(settings: Settings) -> list[str]:
    """The command line that starts the server, on this machine's own address alone.

    Raises:
        TerminalError: Spark is not installed, or the Delta JARs were not fetched.
    """
    found = find_spec("pyspark")
    if found is None or found.origin is None:
        raise TerminalError("Spark is not installed here.", fix="Run `make setup`.")
    conf = {
        **spark.options(settings, settings.spark_java_options or spark.THROUGHPUT),
        "spark.connect.grpc.binding.address": HOST,
        "spark.connect.grpc.binding.port": str(settings.spark_port),
    }
    submit = [str(Path(found.origin).parent / "bin" / "spark-submit"), "--class", _SERVER]
    submit += ["--name", "yupana", "--master", settings.spark_master]
    for key, value in conf.items():
        submit += ["--conf", f"{key}={value}"]
    return [*submit, "spark-internal"]


def environment(settings: Settings) -> dict[str, str]:
    """Environment of the server: it must not take itself for a client of another one."""
    own = {k: v for k, v in settings.environment().items() if k != "SPARK_REMOTE"}
    return {**own, "SPARK_CONNECT_MODE": "0"}
