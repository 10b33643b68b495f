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
from yupana.data.contracts.contract import Contract
from yupana.data.contracts.rules import BROKEN, MALFORMED
from yupana.data.lake import delta, evolution
from yupana.data.staging import cleaning
from yupana.data.streams import commit

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession


def quarantine(
    spark: SparkSession, settings: Settings, contract: Contract, staged: DatasetRef, raw: RawObject
) -> DatasetRef:
    """Keep the rows that break a rule, with rules, value classes and line, replacing this
    source's earlier ones."""
    table = settings.table("quarantine", contract.name)
    bad = evolution.retyped(refusals(spark, contract, staged), table)
    _replace_source(spark, bad, table, raw, delta.commit_metadata(source=raw.sha256))
    return _rows_of(raw, "quarantine", contract, table)


def refusals(spark: SparkSession, contract: Contract, staged: DatasetRef) -> DataFrame:
    """The staged rows that break a rule, with the rules' names and value classes."""
    from pyspark.sql import functions as f

    rows = spark.read.format("delta").load(staged.path).where(f.col(BROKEN).isNotNull())
    kinds: dict[str, str] = {c.name: c.type for c in contract.columns}
    classes = [
        item
        for rule in contract.rules
        for item in (
            f.lit(rule.name),
            f.col(rule.verdict)
            if rule.early
            else cleaning.value_shape(rule.column, kinds.get(rule.column, "")),
        )
        if rule.kind not in ("required", "parsed")
    ]
    classes += [f.lit("row.parsed"), f.col(MALFORMED)]
    names = f.split(BROKEN, ",")
    classes_of_rules = f.map_filter(f.create_map(*classes), lambda k, v: f.array_contains(names, k))
    bad = rows.withColumn("broken_rules", names).withColumn(
        # Bare, the column would be one that forbids nulls, in Sail alone.
        "value_classes",
        f.when(f.col(BROKEN).isNotNull(), classes_of_rules),
    )
    return bad.drop(BROKEN, MALFORMED, *contract.helpers)


def mend_quarantine(
    spark: SparkSession, settings: Settings, contract: Contract, staged: DatasetRef, places: Path
) -> DatasetRef:
    """Take the rows that a correction names out of the quarantine; those that still break a rule
    stand there anew, with their new reasons, under the file and line that they first had.

    Args:
        places: Parquet with `_line` (of the correction), `_of` (hash of the file) and `_at` (line
            there).

    Returns:
        The new version, with all its rows.
    """
    from pyspark.sql import functions as f

    table = settings.table("quarantine", contract.name)
    targets = spark.read.parquet(str(places))
    bad = refusals(spark, contract, staged)
    bad = bad.join(targets, bad["source_line"] == targets["_line"])
    bad = bad.withColumn("source_sha256", f.col("_of")).withColumn("source_line", f.col("_at"))
    bad = evolution.retyped(bad.drop("_line", "_of", "_at"), table)
    bad = evolution.fit(bad, table)
    old = spark.read.format("delta").load(str(table))
    same = (old["source_sha256"] == targets["_of"]) & (old["source_line"] == targets["_at"])
    rows = _with(bad, old.join(targets, same, "left_anti"))
    facts = delta.commit_metadata(source=staged.ref)
    rows.write.format("delta").mode("overwrite").option("userMetadata", facts).save(str(table))
    return delta.ref(settings.lake, "quarantine", contract.name)


def replacements(
    spark: SparkSession,
    settings: Settings,
    contract: Contract,
    groups: tuple[tuple[str, ...], ...],
    staged: DatasetRef,
    later: list[str],
) -> list[int]:
    """Lines of good staged rows whose place in the table a later file has taken.

    Args:
        groups: columns by which rows take each other's place (`Contract.replaces`).
        later: hashes of files that came after that of the rows.
    """
    if not groups or not later:
        return []
    table = spark.read.format("delta").load(str(settings.table("published", contract.name)))
    others = table.where(table["source_sha256"].isin(*later))
    rows = spark.read.format("delta").load(staged.path)
    good = rows.where(rows[BROKEN].isNull())
    lines: set[int] = set()
    for columns in groups:
        same = good.join(others.select(*columns).distinct(), list(columns), "left_semi")
        lines |= {row[0] for row in same.select("source_line").collect()}
    return sorted(lines)


def require_types(
    spark: SparkSession, settings: Settings, contract: Contract, staged: DatasetRef
) -> None:
    """Refuse rows that cannot stand beside those of earlier files.

    A stream's batch is looked at by its commit, which knows whether the table has it already.

    Raises:
        TerminalError: a column has another type in the table, which keeps its rows.
    """
    table = settings.table("published", contract.name)
    if contract.keeps and not contract.stream and delta.exists(table):
        evolution.agree(_good(spark, contract, staged), table)


def _good(spark: SparkSession, contract: Contract, staged: DatasetRef) -> DataFrame:
    from pyspark.sql import functions as f

    rows = spark.read.format("delta").load(staged.path).where(f.col(BROKEN).isNull())
    return rows.drop(BROKEN, MALFORMED, *contract.helpers)


def publish(
    spark: SparkSession,
    settings: Settings,
    contract: Contract,
    staged: DatasetRef,
    raw: RawObject,
    facts: str,
    stale: dict[str, set[int]] | None = None,
) -> DatasetRef:
    """Commit the good rows at once, as the contract's `publication` says.

    Args:
        stale: rows of corrections, lines by hash, that this source brings again itself.
        facts: the commit's origin (`delta.commit_metadata`).

    Returns:
        The new version; `rows` are those that came from this source.
    """
    table = settings.table("published", contract.name)
    good = _good(spark, contract, staged)
    # Sail puts the columns of the partition last by itself.
    others = [name for name in good.columns if name not in contract.partitions]
    good = good.select(*others, *contract.partitions)
    if contract.stream:
        return commit.append(settings, contract, good, staged, raw, facts)
    if contract.publication == "append" and delta.exists(table):
        _replace_source(spark, good, table, raw, facts, contract.partitions, stale)
    else:
        if contract.replaces and delta.exists(table):
            old = spark.read.format("delta").load(str(table))
            good = _merge(old.where(~old["source_sha256"].isin(*raw.hashes)), good, contract)
        writer = good.write.format("delta").mode("overwrite").option("overwriteSchema", "true")
        writer.partitionBy(*contract.partitions).option("userMetadata", facts).save(str(table))
    return _rows_of(raw, "published", contract, table)


def _rows_of(raw: RawObject, zone: str, contract: Contract, table: Path) -> DatasetRef:
    """The table's newest version; `rows` are those that came from this source."""
    return DatasetRef(
        zone=zone,
        name=contract.name,
        version=delta.version_of(table),
        path=str(table),
        rows=delta.count(table, *raw.hashes),
    )


def _merge(old: DataFrame, new: DataFrame, contract: Contract) -> DataFrame:
    """The new rows, and the old ones whose key or period they do not name.

    Not SQL's MERGE: Sail's leaves no metadata in the commit, and one way serves both engines.
    """
    for columns in contract.replaces:
        old = old.join(new.select(*columns).distinct(), list(columns), "left_anti")
    return _with(new, old)


def _replace_source(
    spark: SparkSession,
    rows: DataFrame,
    table: Path,
    raw: RawObject,
    facts: str,
    partitions: tuple[str, ...] = (),
    stale: dict[str, set[int]] | None = None,
) -> None:
    """Put a source's rows in place of its earlier ones, so that running again is harmless."""
    mode = "append"
    if delta.exists(table):
        rows = evolution.fit(rows, table)
        if delta.count(table, *raw.hashes, *(stale or {})):
            old = spark.read.format("delta").load(str(table))
            others = old.where(~old["source_sha256"].isin(*raw.hashes))
            for sha256, lines in (stale or {}).items():
                own = (old["source_sha256"] == sha256) & old["source_line"].isin(*sorted(lines))
                others = others.where(~own)
            rows, mode = _with(rows, others), "overwrite"
    writer = rows.write.format("delta").mode(mode).partitionBy(*partitions)
    writer.option("userMetadata", facts).save(str(table))


def _with(new: DataFrame, old: DataFrame) -> DataFrame:
    """New rows and old ones together.

    Lists and maps of the old are made anew: each engine names their elements in its own way in
    the files, and Sail takes that for another type.
    """
    from pyspark.sql import functions as f

    def anew(name: str, kind: str) -> Column:
        if kind.startswith("array"):
            return f.transform(name, lambda item: item).alias(name)
        if kind.startswith("map"):
            return f.map_filter(name, lambda key, value: f.lit(True)).alias(name)
        return f.col(name)

    columns = [anew(name, kind) for name, kind in old.dtypes]
    return new.unionByName(old.select(*columns), allowMissingColumns=True)
