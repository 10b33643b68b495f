"""Publish: split a staged table by the contract's rules and commit the good rows at once.

The quarantine is written first and is replaced for the same source, so that a crash between
the two commits is mended by running again. The publication is one Delta commit: readers see
the old version or the new one, never a part.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.core.types import DatasetRef, RawObject
from yupana.data import cleaning, delta
from yupana.data.contract import Contract
from yupana.data.rules import BROKEN, KEY_COUNT, MALFORMED

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def quarantine(
    spark: SparkSession, settings: Settings, contract: Contract, staged: DatasetRef, raw: RawObject
) -> DatasetRef:
    """Keep the rows that break a rule, with rules, value classes and line, replacing this
    source's earlier ones."""
    from pyspark.sql import functions as f

    table = settings.table("quarantine", contract.name)
    rows = spark.read.format("delta").load(staged.path).where(f.col(BROKEN).isNotNull())
    classes = [
        item
        for rule in contract.rules
        for item in (f.lit(rule.name), cleaning.shape(f.col(rule.column)))
        if rule.kind not in ("required", "parsed")
    ]
    classes += [f.lit("row.parsed"), f.col(MALFORMED)]
    names = f.split(BROKEN, ",")
    bad = rows.withColumn("broken_rules", names).withColumn(
        "value_classes",
        f.map_filter(f.create_map(*classes), lambda k, v: f.array_contains(names, k)),
    )
    bad = bad.drop(BROKEN, MALFORMED, KEY_COUNT)
    writer = bad.write.format("delta").mode("append").option("mergeSchema", "true")
    if delta.exists(table):
        # Overwriting only this source's rows makes running again harmless.
        writer = writer.mode("overwrite").option("replaceWhere", f"source_sha256 = '{raw.sha256}'")
    writer.option("userMetadata", delta.commit_metadata(source=raw.sha256)).save(str(table))
    return DatasetRef(
        zone="quarantine",
        name=contract.name,
        version=delta.version_of(table),
        path=str(table),
        rows=delta.count(table, source_sha256=raw.sha256),
    )


def publish(
    spark: SparkSession,
    settings: Settings,
    contract: Contract,
    staged: DatasetRef,
    raw: RawObject,
    facts: str,
) -> DatasetRef:
    """Commit the good rows at once, as the contract's `publication` says.

    Args:
        facts: the commit's origin (`delta.commit_metadata`).

    Returns:
        The new version; `rows` are those that came from this source.
    """
    from pyspark.sql import functions as f

    table = settings.table("published", contract.name)
    rows = spark.read.format("delta").load(staged.path).where(f.col(BROKEN).isNull())
    good = rows.drop(BROKEN, MALFORMED, KEY_COUNT)
    if contract.publication == "merge" and delta.exists(table):
        _merge(spark, contract, good, table, facts)
    else:
        writer = good.write.format("delta").mode("overwrite").partitionBy(*contract.partitions)
        if contract.publication == "append" and delta.exists(table):
            writer = writer.option("replaceWhere", f"source_sha256 = '{raw.sha256}'")
        else:
            writer = writer.option("overwriteSchema", "true")
        writer.option("userMetadata", facts).save(str(table))
    return DatasetRef(
        zone="published",
        name=contract.name,
        version=delta.version_of(table),
        path=str(table),
        rows=delta.count(table, source_sha256=raw.sha256),
    )


def _merge(
    spark: SparkSession, contract: Contract, good: DataFrame, table: Path, facts: str
) -> None:
    """Update rows of the same key, add new ones, keep those that the file does not name."""
    same = " AND ".join(f"old.`{k}` = new.`{k}`" for k in contract.key)
    good.createOrReplaceTempView("_yupana_new")
    # The session's setting is the one way to give a MERGE its metadata.
    spark.conf.set("spark.databricks.delta.commitInfo.userMetadata", facts)
    spark.conf.set("spark.databricks.delta.schema.autoMerge.enabled", "true")
    try:
        spark.sql(
            f"MERGE INTO delta.`{table}` AS old USING _yupana_new AS new ON {same} "
            "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
        )
    finally:
        spark.conf.unset("spark.databricks.delta.commitInfo.userMetadata")
        spark.conf.unset("spark.databricks.delta.schema.autoMerge.enabled")
        spark.catalog.dropTempView("_yupana_new")
