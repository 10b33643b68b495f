"""The plain way to publish a case list: Spark, Great Expectations and Delta by their manuals.

Run: python -m tests.benchmark.plain FILE FOLDER. The last line printed is a JSON object.

The frame is cached because four things use it: the count, the validation, the good rows and the
bad rows. Great Expectations caches the frame that it is given in any case (`persist`), so
leaving that line out only moves the reading into the validation's seconds.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import great_expectations as gx
from great_expectations.checkpoint import UpdateDataDocsAction
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from tests.benchmark.rulebook import broken, expectation, rules_of
from yupana.config.settings import settings
from yupana.data.contracts import contract
from yupana.data.contracts.contract import Contract
from yupana.data.contracts.rules import MALFORMED
from yupana.data.engine import jars
from yupana.data.national import calendar
from yupana.data.national import places as national_places

NAME = "dengue_linelist"
TYPES = {"string": "STRING", "integer": "INT", "date": "DATE"}


def start() -> SparkSession:
    """Spark with Delta; cores, heap and the settings for small clusters are yupana's."""
    config = settings()
    options = {
        "spark.driver.extraClassPath": ":".join(map(str, jars.paths(config.cache))),
        "spark.driver.memory": config.engine_memory,
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "4",
        "spark.databricks.delta.snapshotPartitions": "1",
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.log.level": "ERROR",
    }
    builder = SparkSession.builder.appName("plain").master(config.spark_master)
    for key, value in options.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def read(spark: SparkSession, about: Contract, source: str) -> DataFrame:
    with Path(source).open(encoding=about.encoding) as stream:
        header = stream.readline().strip().split(about.delimiter)
    columns = {c.published: c for c in about.columns if c.published}
    fields = [f"`{columns[name].name}` {TYPES[columns[name].type]}" for name in header]
    return spark.read.csv(
        source,
        schema=", ".join([*fields, f"`{MALFORMED}` STRING"]),
        header=True,
        columnNameOfCorruptRecord=MALFORMED,
        ignoreLeadingWhiteSpace=True,
        ignoreTrailingWhiteSpace=True,
    )


def derive(spark: SparkSession, rows: DataFrame) -> DataFrame:
    """Add `ubigeo` by the district's names and `week_start` by year and week."""
    places = spark.createDataFrame(
        [(*names, code) for names, code in national_places.ubigeos().items()],
        "_a STRING, _b STRING, _c STRING, ubigeo STRING",
    )
    weeks = spark.createDataFrame(
        list(calendar.epiweek_starts(1990, 2040)), "year INT, week INT, week_start DATE"
    )
    for key, name in {"_a": "department", "_b": "province", "_c": "district"}.items():
        bare = f.translate(f.upper(f.trim(name)), "ÁÉÍÓÚÜ", "AEIOUU")
        rows = rows.withColumn(key, f.regexp_replace(bare, r"\s+", " "))
    rows = rows.join(f.broadcast(places), ["_a", "_b", "_c"], "left").drop("_a", "_b", "_c")
    return rows.join(f.broadcast(weeks), ["year", "week"], "left")


def validate(about: Contract, rows: DataFrame) -> dict[str, int]:
    """A checkpoint with its defaults and data docs; how many rows break each rule."""
    context = gx.get_context(mode="ephemeral")
    suite = context.suites.add(gx.ExpectationSuite(name=NAME))
    for rule in rules_of(about):
        suite.add_expectation(expectation(rule, about.limit))
    suite.add_expectation(gx.expectations.ExpectTableRowCountToBeBetween(min_value=1))
    batch = (
        context.data_sources.add_spark(NAME)
        .add_dataframe_asset(NAME)
        .add_batch_definition_whole_dataframe(NAME)
    )
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(name=NAME, data=batch, suite=suite)
    )
    checkpoint = context.checkpoints.add(
        gx.Checkpoint(
            name=NAME,
            validation_definitions=[definition],
            actions=[UpdateDataDocsAction(name="update_all_data_docs")],
        )
    )
    outcome = checkpoint.run(batch_parameters={"dataframe": rows})
    if not outcome.success:
        raise SystemExit("the validation failed")
    (result,) = outcome.run_results.values()
    ruled = [r for r in result.results if r.expectation_config.meta]
    return {r.expectation_config.meta["rule"]: r.result["unexpected_count"] for r in ruled}


def write(about: Contract, rows: DataFrame, folder: Path) -> None:
    names = [f.when(f.expr(broken(r, "spark")), f.lit(r.name)) for r in rules_of(about)]
    marked = rows.withColumn("broken_rules", f.array_compact(f.array(*names)))
    good = marked.where(f.size("broken_rules") == 0).drop("broken_rules", MALFORMED)
    good.write.format("delta").save(str(folder / "published"))
    bad = marked.where(f.size("broken_rules") > 0)
    bad.write.format("delta").save(str(folder / "quarantine"))


def main() -> None:
    source, folder = sys.argv[1], Path(sys.argv[2])
    # The day on which the file lands for yupana too.
    about, seconds = contract.load(settings().root, NAME).at(datetime.now(UTC).date()), {}

    @contextmanager
    def timed(part: str) -> Any:
        began = time.perf_counter()
        yield
        seconds[part] = round(time.perf_counter() - began, 2)

    with timed("start Spark"):
        spark = start()
    with timed("read"):
        rows = derive(spark, read(spark, about, source)).cache()
        count = rows.count()
    with timed("validate"):
        rules = validate(about, rows)
    with timed("write"):
        write(about, rows, folder)
    print(json.dumps({"read": count, "rules": rules, "stages": seconds}))


if __name__ == "__main__":
    main()
