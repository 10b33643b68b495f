"""Columns whose numbers may be written with other marks than the contract says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from yupana.data.contract import Contract
from yupana.data.rules import MALFORMED

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def doubts(contract: Contract, staged: DataFrame) -> Iterator[str]:
    """One sentence for each column where a comma stands in refused numbers, and no option says
    what it means.

    `1.234` beside `1,5` is a thousand or a little more than one: only the publisher knows.
    """
    from pyspark.sql import functions as f

    usual = [
        c.name for c in contract.used
        if c.type == "number" and c.decimal == "." and not c.thousands
    ]  # fmt: skip
    if not usual:
        return
    # Staging writes shapes, a column after the other: `rain: 9,9, wind: aa`.
    commas = (
        f.count(f.when(f.col(MALFORMED).rlike(f"(^|, ){name}: [^,]*9,9"), True)).alias(name)
        for name in usual
    )
    for name, count in staged.agg(*commas).collect()[0].asDict().items():
        if count:
            yield (
                f"{name}: {count:,} values have a comma and are in quarantine, and a point is read "
                "as the decimal mark; `decimal` and `thousands` in the contract say what they mean"
            )
