"""Publish: split a staged table by the contract's rules and commit the good rows at once.

The quarantine is written first and is replaced for the same source, so that a crash between
the two commits is mended by running again. The publication is one Delta commit: readers see
the old version or the new one, never a part.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from yupana.core.types import DatasetRef, RawObject, ValidationResult
from yupana.data import delta
from yupana.data.contract import Contract
from yupana.data.rules import MALFORMED

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def broken_rules(rows: DataFrame, contract: Contract) -> DataFrame:
    """Add `broken_rules`, the names of the rules that each row breaks (empty when none)."""
    from pyspark.sql import functions as f

    tests = [f.when(~f.expr(rule.good), f.lit(rule.name)) for rule in contract.rules]
    return rows.withColumn("broken_rules", f.array_compact(f.array(*tests)))


def quarantine(
    spark: SparkSession, contract: Contract, staged: DatasetRef, raw: RawObject, table: Path
) -> DatasetRef:
    """Keep the rows that break a rule, with the rules and the line, replacing this source's."""
    from pyspark.sql import functions as f

    bad = broken_rules(spark.read.format("delta").load(staged.path), contract).where(
        f.size("broken_rules") > 0
    )
    writer = bad.write.format("delta").option("mergeSchema", "true")
    if delta.exists(table):
        writer = writer.mode("overwrite").option("replaceWhere", f"source_sha256 = '{raw.sha256}'")
    writer.option("userMetadata", delta.commit_metadata(source=raw.sha256)).save(str(table))
    count = delta.count(table, source_sha256=raw.sha256)
    return DatasetRef(
        zone="quarantine",
        name=contract.name,
        version=delta.version_of(table),
        path=str(table),
        rows=count,
    )


def publish(
    spark: SparkSession,
    contract: Contract,
    staged: DatasetRef,
    raw: RawObject,
    validation: ValidationResult,
    table: Path,
) -> DatasetRef:
    """Replace the published table by the good rows in one commit that names its origin."""
    from pyspark.sql import functions as f

    rows = broken_rules(spark.read.format("delta").load(staged.path), contract)
    good = rows.where(f.size("broken_rules") == 0).drop("broken_rules", MALFORMED)
    facts = delta.commit_metadata(
        source_sha256=raw.sha256,
        contract=contract.name,
        contract_version=contract.version,
        contract_sha256=contract.sha256,
        validation=validation.id,
    )
    writer = good.write.format("delta").mode("overwrite").option("overwriteSchema", "true")
    writer.option("userMetadata", facts).save(str(table))
    return delta.ref(table.parent.parent, "published", contract.name)
