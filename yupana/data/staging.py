"""Stage: parse a prepared file into a Delta table, one row a record, by what the contract says.

Every row carries the hash of its file and its line number there, the names of the rules that
it breaks, and flags for what cleaning changed. Text that cannot be read as the column's type
becomes null and is named in `_malformed` with its shape; personal data is left behind here.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.core.types import DatasetRef, RawObject
from yupana.data import cleaning, delta, derive, personal
from yupana.data.contract import Contract
from yupana.data.parsing import Prepared
from yupana.data.rules import BROKEN, KEY_COUNT, MALFORMED

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FLAGS = "quality_flags"
_CORRUPT = "_corrupt"
_PARTITION_BITS = 33  # documented layout of monotonically_increasing_id


def stage(
    spark: SparkSession, settings: Settings, contract: Contract, raw: RawObject, prepared: Prepared
) -> DatasetRef:
    """Write the staging table of one prepared file and return its version.

    Raises:
        TerminalError: the file has no row; names it.
    """
    from pyspark.sql import functions as f

    table = settings.table("staging", contract.name)
    text = _fields(spark, prepared, contract)
    rows = cleaning.typed(text, contract, _CORRUPT)
    rows = personal.pseudonymise(rows, contract, settings)
    rows = derive.add(spark, rows, contract, settings.root)
    rows = _with_key_count(cleaning.outliers(rows, contract, FLAGS), contract)
    own = [MALFORMED, *([FLAGS] if contract.flags else []), *([KEY_COUNT] if contract.key else [])]
    broken = [f.when(~f.expr(rule.good), f.lit(rule.name)) for rule in contract.rules]
    staged = rows.select(
        *(c.name for c in contract.kept),
        *own,
        f.lit(raw.sha256).alias("source_sha256"),
        "source_line",
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


def _fields(spark: SparkSession, prepared: Prepared, contract: Contract) -> DataFrame:
    """`source_line`, `_corrupt` and the used columns as texts under their standard names."""
    from pyspark.sql import functions as f

    places = [
        (c.name, prepared.header.index(str(c.published)))
        for c in contract.used
        if c.published in prepared.header
    ]
    if not prepared.lines:
        rows = spark.read.parquet(str(prepared.path))
        found = [f.col(f"c{place}").alias(name) for name, place in places]
        return rows.select("source_line", _CORRUPT, *found)
    # Placeholder names: the published ones may hold dots, spaces or accents.
    schema = ", ".join(
        [*(f"c{i} STRING" for i in range(len(prepared.header))), f"{_CORRUPT} STRING"]
    )
    options = {"sep": prepared.delimiter, "columnNameOfCorruptRecord": _CORRUPT, "escape": '"'}
    row = _lines(spark, prepared).withColumn("row", f.from_csv("value", schema, options))
    found = [f.col(f"row.c{place}").alias(name) for name, place in places]
    return row.select("source_line", f.col(f"row.{_CORRUPT}").alias(_CORRUPT), *found)


def _lines(spark: SparkSession, prepared: Prepared) -> DataFrame:
    """Text lines with their number in the file, also where Spark reads it in several parts."""
    from pyspark.sql import functions as f

    lines = spark.read.text(str(prepared.path)).withColumn("_id", f.monotonically_increasing_id())
    part = f.shiftright("_id", _PARTITION_BITS)
    counts = {r["p"]: r["count"] for r in lines.groupBy(part.alias("p")).count().collect()}
    starts, total = [], 0
    for key in sorted(counts):
        starts += [f.lit(key), f.lit(total)]
        total += counts[key]
    within = f.col("_id").bitwiseAND(f.lit((1 << _PARTITION_BITS) - 1))
    start = f.create_map(*starts)[part] if starts else f.lit(0)
    numbered = lines.withColumn("source_line", (start + within + 1).cast("long"))
    return numbered.where(f"source_line > {prepared.skipped} AND trim(value) != ''").drop("_id")


def _with_key_count(rows: DataFrame, contract: Contract) -> DataFrame:
    from pyspark.sql import Window
    from pyspark.sql import functions as f

    if not contract.key:
        return rows
    same = Window.partitionBy(*contract.key)
    whole = reduce(lambda a, b: a & b, (f.col(k).isNotNull() for k in contract.key))
    # A row without its whole key breaks `required`; it is not a double of another such row.
    return rows.withColumn(KEY_COUNT, f.when(whole, f.count(f.lit(1)).over(same)))
