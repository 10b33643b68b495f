"""One Spark session with Delta, tuned for small tables on few cores."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.data import jars

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@lru_cache(maxsize=1)
def session(settings: Settings) -> SparkSession:
    """The process's Spark session (8-13 s the first time, then at once).

    Raises:
        TerminalError: the Delta JARs were not fetched.
    """
    from pyspark.sql import SparkSession

    class_path = ":".join(str(p) for p in jars.paths(settings.cache))
    temporary = settings.home / "spark"
    temporary.mkdir(parents=True, exist_ok=True)
    options = {
        "spark.driver.extraClassPath": class_path,
        "spark.driver.memory": settings.spark_memory,
        "spark.driver.extraJavaOptions": settings.spark_java_options,
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
    builder = SparkSession.builder.appName("yupana").master(settings.spark_master)
    for key, value in options.items():
        builder = builder.config(key, value)
    made: SparkSession = builder.getOrCreate()
    return made
