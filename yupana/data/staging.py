"""Stage: parse a landed file into a Delta table, one row a line, by what the contract says.

Every row carries the hash of its file and its line number there. Text that cannot be read as
the column's type becomes null and is named in `_malformed`; personal data is left behind here.
"""

from __future__ import annotations

import codecs
import csv
import difflib
import gzip
from pathlib import Path
from typing import TYPE_CHECKING

from yupana.core.errors import TerminalError
from yupana.core.types import DatasetRef, RawObject
from yupana.data import delta, derive, landing
from yupana.data.contract import Column, Contract
from yupana.data.rules import MALFORMED

if TYPE_CHECKING:
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame, SparkSession

SPARK_TYPES = {"string": "STRING", "integer": "INT", "number": "DOUBLE", "date": "DATE"}
_CORRUPT = "_corrupt"
_PARTITION_BITS = 33  # documented layout of monotonically_increasing_id


def stage(spark: SparkSession, contract: Contract, raw: RawObject, table: Path) -> DatasetRef:
    """Write the staging table of one landed file and return its version.

    Raises:
        TerminalError: wrong encoding or header, or no row at all; names file, line, column.
    """
    from pyspark.sql import functions as f

    header = _header(Path(raw.path), contract, raw.source)
    parsed = _typed(_parsed(_lines(spark, raw.path), header, contract), contract)
    rows = derive.add(spark, parsed, contract)
    columns = [*(c.name for c in contract.kept), MALFORMED, "source_sha256", "source_line"]
    staged = rows.withColumn("source_sha256", f.lit(raw.sha256)).select(*columns)
    writer = staged.write.format("delta").mode("overwrite").option("overwriteSchema", "true")
    writer.option("userMetadata", delta.commit_metadata(source=raw.sha256)).save(str(table))
    out = delta.ref(table.parent.parent, "staging", contract.name)
    if out.rows == 0:
        raise TerminalError(
            "The file has a header and no row.",
            where=raw.source,
            fix="Fetch it again from the publisher; the last good version stays published.",
        )
    return out


def _header(path: Path, contract: Contract, source: str) -> list[str]:
    """The file's column names in its order, after a check of encoding and names."""
    opener = gzip.open if landing.is_gzip(path) else open
    decoder = codecs.getincrementaldecoder(contract.encoding)()
    with opener(path, "rb") as stream:
        for number, line in enumerate(stream, 1):
            try:
                text = decoder.decode(line)
            except UnicodeDecodeError as error:
                raise TerminalError(
                    f"The file is not {contract.encoding}: {error.reason}.",
                    where=f"{source}, line {number}, byte {error.start + 1}",
                    fix="Set the contract's `encoding` to the file's own, or ask the publisher.",
                ) from error
            if number == 1:
                header = next(csv.reader([text.lstrip("\ufeff")], delimiter=contract.delimiter))
    found = [name.strip() for name in header]
    for column in contract.read:
        if column.published not in found and not column.personal:
            near = difflib.get_close_matches(str(column.published), found, n=1, cutoff=0.5)
            raise TerminalError(
                f"The column '{column.published}' is not in the file.",
                where=f"{source}, line 1; it has: {', '.join(found)}",
                fix=(f"If it is now called '{near[0]}', say so" if near else "Say what replaced it")
                + f" (physicalName) in expectations/{contract.name}/contract.yaml.",
            )
    return found


def _lines(spark: SparkSession, path: str) -> DataFrame:
    """Text lines with their number in the file, also where Spark reads it in several parts."""
    from pyspark.sql import functions as f

    lines = spark.read.text(path).withColumn("_id", f.monotonically_increasing_id())
    if landing.is_gzip(Path(path)):  # read in one part: its ids are the line numbers
        return _rows(lines.withColumn("source_line", f.col("_id") + 1))
    part = f.shiftright("_id", _PARTITION_BITS)
    counts = {r["p"]: r["count"] for r in lines.groupBy(part.alias("p")).count().collect()}
    starts, total = [], 0
    for key in sorted(counts):
        starts += [f.lit(key), f.lit(total)]
        total += counts[key]
    within = f.col("_id").bitwiseAND(f.lit((1 << _PARTITION_BITS) - 1))
    start = f.create_map(*starts)[part] if starts else f.lit(0)
    return _rows(lines.withColumn("source_line", (start + within + 1).cast("long")))


def _rows(numbered: DataFrame) -> DataFrame:
    """Without the header and without lines that hold nothing."""
    return numbered.where("source_line > 1 AND trim(value) != ''").drop("_id")


def _parsed(lines: DataFrame, header: list[str], contract: Contract) -> DataFrame:
    from pyspark.sql import functions as f

    # Placeholder names: the published ones may hold dots, spaces or accents.
    schema = ", ".join([*(f"c{i} STRING" for i in range(len(header))), f"{_CORRUPT} STRING"])
    options = {"sep": contract.delimiter, "columnNameOfCorruptRecord": _CORRUPT}
    row = lines.withColumn("row", f.from_csv("value", schema, options))
    wanted = [
        f.trim(f.col(f"row.c{header.index(str(c.published))}")).alias(c.name)
        for c in contract.read
        if not c.personal
    ]
    return row.select("source_line", f.col(f"row.{_CORRUPT}").alias(_CORRUPT), *wanted)


def _typed(text: DataFrame, contract: Contract) -> DataFrame:
    from pyspark.sql import functions as f

    read = [c for c in contract.read if not c.personal]
    unreadable = [f.when(_unreadable(c), f.lit(c.name)) for c in read if c.type != "string"]
    torn = f.when(f.col(_CORRUPT).isNotNull(), f.lit("row: wrong number of fields"))
    broken = f.concat_ws(", ", torn, *unreadable)
    typed = [_cast(c).alias(c.name) for c in read]
    return text.select("source_line", f.nullif(broken, f.lit("")).alias(MALFORMED), *typed)


def _cast(column: Column) -> SparkColumn:
    from pyspark.sql import functions as f

    return f.expr(f"try_cast(nullif(`{column.name}`, '') AS {SPARK_TYPES[column.type]})")


def _unreadable(column: Column) -> SparkColumn:
    from pyspark.sql import functions as f

    return (f.col(column.name) != "") & _cast(column).isNull()
