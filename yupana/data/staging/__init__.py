"""Stage: a parsed file into a Delta table, one row a record, by what the contract says.

Every row carries the hash of its file and its line number there, the names of the rules that
it breaks, and flags for what cleaning changed. Text that cannot be read as the column's type
becomes null and is named in `_malformed` with its shape; personal data is left behind here.
"""

from __future__ import annotations

from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.core.types import DatasetRef, RawObject
from yupana.data.contracts.contract import Contract
from yupana.data.contracts.rules import BROKEN, MALFORMED, Rule
from yupana.data.lake import delta
from yupana.data.parsing import LINE, SOURCE
from yupana.data.staging import cleaning, derive, marks, personal
from yupana.data.staging.cleaning import SPARK_TYPES

if TYPE_CHECKING:
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame, SparkSession

FLAGS = "quality_flags"


def stage(
    spark: SparkSession, settings: Settings, contract: Contract, raw: RawObject, parsed: Path
) -> DatasetRef:
    """Write the staging table of one parsed file (`yupana.data.parsing`); return its version.

    Raises:
        TerminalError: the file has no row; names it.
    """
    from pyspark.sql import functions as f

    table = settings.table("staging", contract.name)
    text = spark.read.parquet(str(parsed))
    # Rows of several files bear the hash of their own.
    source = f.col(SOURCE) if SOURCE in text.columns else f.lit(raw.sha256)
    rows = cleaning.values(text, contract)
    rows = derive.add(spark, rows, contract, settings.root)
    rows = _with_verdicts(rows, contract)
    rows = personal.treat(rows, contract, settings)
    rows = cleaning.outliers(rows, contract, FLAGS)
    for count, columns in contract.counts.items():
        rows = _counted(rows, contract, count, columns)
        if contract.publication in ("append", "replace-period"):
            rows = _with_other_files(spark, rows, settings, contract, raw, count, columns)
    rows = marks.by_names(spark, rows, contract, settings.root)
    if contract.once and contract.period:
        # What need not be there may differ between two prints of a row: the day it was updated.
        always = [c.name for c in contract.used if c.required]
        rows = marks.repeated(rows, contract.period, always)
    own = [MALFORMED, *([FLAGS] if contract.flags else []), *contract.helpers]
    broken = [
        f.when(~f.expr(rule.good) & ~_unread(rule, contract), f.lit(rule.name))
        for rule in contract.rules
    ]
    staged = rows.select(
        *(c.name for c in contract.table_columns),
        *own,
        # A bare literal would make the column one that forbids nulls, in Sail alone.
        f.when(f.col(LINE).isNotNull(), source).alias("source_sha256"),
        LINE,
        # One text, not an array: it is compiled, and Delta skips files without a null.
        f.nullif(f.concat_ws(",", *broken), f.lit("")).alias(BROKEN),
    )
    writer = staged.write.format("delta").mode("overwrite").option("overwriteSchema", "true")
    writer.option("userMetadata", delta.commit_metadata(source=raw.sha256)).save(str(table))
    out = delta.ref(settings.lake, "staging", contract.name)
    if out.rows == 0:
        raise TerminalError(
            "The file has a header and no row.",
            where=raw.source,
            fix="Fetch it again from the publisher; the last good version stays published.",
        )
    return out


def _with_verdicts(rows: DataFrame, contract: Contract) -> DataFrame:
    """What rules say of values as they were published, before pseudonyms, masks and bounds change
    them."""
    from pyspark.sql import functions as f

    columns = {c.name: c for c in contract.columns}
    for rule in contract.rules:
        if rule.early:
            column = columns[rule.column]
            shape = cleaning.value_shape(column.name, column.type)
            broken = f.lit("?") if column.personal else shape
            verdict = f.when(f.expr(rule.keeps), f.lit("")).otherwise(broken)
            rows = rows.withColumn(rule.verdict, f.when(f.col(column.name).isNotNull(), verdict))
    return rows


def _unread(rule: Rule, contract: Contract) -> SparkColumn:
    """Whether a value that a rule requires came in a message and could not be read, which is told
    once, as `row.parsed`."""
    from pyspark.sql import functions as f

    if rule.kind != "required" or not contract.stream:
        return f.lit(False)
    return f.coalesce(f.col(MALFORMED).rlike(f"(^|, )(row|{rule.column}): "), f.lit(False))


def _counted(
    rows: DataFrame, contract: Contract, count: str, columns: tuple[str, ...]
) -> DataFrame:
    """How often the values of these columns occur together; null where one of them is empty."""
    from pyspark.sql import Window
    from pyspark.sql import functions as f

    same = Window.partitionBy(*columns)
    # A row without its whole key breaks `required`; it is not a double of another such row.
    whole = reduce(lambda a, b: a & b, (f.col(c).isNotNull() for c in columns))
    number = f.count(f.lit(1)).over(same)
    if contract.stream:
        # A message that comes twice is kept once: of a key, the first that breaks no other rule.
        others = [~f.expr(rule.good) for rule in contract.rules if rule.kind != "unique"]
        number = f.row_number().over(same.orderBy(reduce(lambda a, b: a | b, others), LINE))
    return rows.withColumn(count, f.when(whole, number))


def _near(
    published: DataFrame, rows: DataFrame, contract: Contract, columns: tuple[str, ...]
) -> DataFrame:
    """Rows that may have a key of `rows`, by the bounds of their times and dates: the files of
    other days are not opened, so that a batch costs the same in a large table."""
    from pyspark.sql import functions as f

    kinds = {c.name: c.type for c in contract.columns}
    times = [name for name in columns if kinds[name] in ("timestamp", "date")]
    if not times:
        return published
    # As texts, in the session's UTC: Python would take instants for this machine's local time.
    ends = [end(name).cast("string") for name in times for end in (f.min, f.max)]
    counts = list(rows.agg(*ends).first() or ())
    for name, low, high in zip(times, counts[::2], counts[1::2], strict=True):
        low, high = (f.lit(bound).cast(SPARK_TYPES[kinds[name]]) for bound in (low, high))
        published = published.where(f.col(name).between(low, high))
    return published


def _with_other_files(
    spark: SparkSession, rows: DataFrame, settings: Settings, contract: Contract, raw: RawObject,
    count: str, columns: tuple[str, ...],
) -> DataFrame:  # fmt: skip
    """Where files add up, a key holds over the table: one that another file brought counts too.

    Not one of a period that this file replaces.
    """
    from pyspark.sql import functions as f

    table = settings.table("published", contract.name)
    if not delta.exists(table):
        return rows
    published = spark.read.format("delta").load(str(table))
    if not set(columns) <= set(published.columns):
        return rows
    if contract.stream:
        # Also of the same bytes: a file that is dropped again is another batch.
        others = _near(published, rows, contract, columns)
    else:
        others = published.where(~f.col("source_sha256").isin(*raw.hashes))
    if contract.publication == "replace-period":
        others = others.join(rows.select(contract.period).distinct(), contract.period, "left_anti")
    keys = others.groupBy(*columns).agg(f.count(f.lit(1)).alias("_published"))
    total = f.col(count) + f.coalesce(f.col("_published"), f.lit(0))
    joined = rows.join(keys, list(columns), "left")
    return joined.withColumn(count, total).drop("_published")
