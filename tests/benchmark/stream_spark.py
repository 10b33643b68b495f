"""The peer: Spark Structured Streaming with its own Kafka connector, a topic into a Delta table,
`availableNow`. It parses and casts; nothing is audited, set aside or checked by a key.

Run: python -m tests.benchmark.stream_spark HOST TOPIC FOLDER
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyspark

from yupana.config.settings import settings
from yupana.core.progress import Lines
from yupana.data.engine import spark as engine

VERSION = pyspark.__version__
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>pe.yupana</groupId><artifactId>connector</artifactId><version>1</version><dependencies>
<dependency><groupId>org.apache.spark</groupId><artifactId>spark-sql-kafka-0-10_2.13</artifactId>
<version>{VERSION}</version></dependency></dependencies></project>"""
# The others of its dependencies come with pyspark.
NEEDED = ("spark-sql-kafka", "spark-token-provider-kafka", "kafka-clients", "commons-pool2")


def connector() -> list[Path]:
    """The connector's JARs, from Maven, once."""
    folder = settings().cache / f"spark-kafka-{VERSION}"
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=settings().cache) as scratch:
            pom, out = Path(scratch) / "pom.xml", Path(scratch) / "jars"
            pom.write_text(POM)
            command = ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies"]
            subprocess.run([*command, f"-DoutputDirectory={out}"], check=True)
            out.rename(folder)
    return [p for p in sorted(folder.glob("*.jar")) if p.name.startswith(NEEDED)]


def main(host: str, topic: str, folder: Path) -> None:
    from pyspark import SparkConf
    from pyspark.sql import SparkSession
    from pyspark.sql import functions as f

    begin = time.monotonic()
    options = engine.options(settings(), Lines(), engine.THROUGHPUT)
    options["spark.driver.extraClassPath"] += ":" + ":".join(map(str, connector()))
    conf = SparkConf().setAll(list(options.items())).setMaster(settings().spark_master)
    spark = SparkSession.builder.config(conf=conf).getOrCreate()
    started = time.monotonic()
    fields = "station STRING, measured_at TIMESTAMP, level_m DOUBLE, rain_mm DOUBLE"
    messages = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", host)
        .option("subscribe", topic)
        .option("startingOffsets", "earliest")
        .option("maxOffsetsPerTrigger", 50_000)
        .load()
    )
    value = f.from_json(f.col("value").cast("string"), fields)
    rows = messages.select(value.alias("r")).select("r.*")
    query = (
        rows.writeStream.format("delta")
        .option("checkpointLocation", str(folder / "checkpoint"))
        .trigger(availableNow=True)
        .start(str(folder / "table"))
    )
    query.awaitTermination()
    ended = time.monotonic()
    count = spark.read.format("delta").load(str(folder / "table")).count()
    spark.stop()
    facts = {"rows": count, "start_s": round(started - begin, 2),
            "run_s": round(ended - started, 2),
            "rows_a_second": round(count / (ended - begin)),
            "rows_a_second_once_started": round(count / (ended - started))}  # fmt: skip
    print(json.dumps(facts))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
