"""What a run published, read the same way whoever wrote it; equal or the benchmark fails."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import duckdb
from deltalake import DeltaTable


@dataclass(frozen=True)
class Outcome:
    """Row counts, rows that break each rule, and the SHA-256 of weekly cases by ubigeo."""

    published: int
    quarantined: int
    rules: dict[str, int]
    weekly_sha256: str


def of_tables(published: Path, quarantine: Path) -> Outcome:
    """Read the two Delta tables that a run wrote."""
    good = DeltaTable(published).to_pyarrow_dataset()
    bad = DeltaTable(quarantine).to_pyarrow_dataset()
    connection = duckdb.connect()
    connection.register("good", good)
    connection.register("bad", bad)
    weekly = connection.execute(
        "SELECT ubigeo, week_start, sum(cases)::BIGINT FROM good GROUP BY ALL ORDER BY ALL"
    )
    digest = hashlib.sha256()
    while rows := weekly.fetchmany(10_000):
        digest.update("".join(f"{u},{w},{n}\n" for u, w, n in rows).encode())
    rules = connection.execute(
        "SELECT rule, count(*) FROM (SELECT unnest(broken_rules) AS rule FROM bad) GROUP BY 1"
    ).fetchall()
    return Outcome(good.count_rows(), bad.count_rows(), dict(sorted(rules)), digest.hexdigest())


def differences(sides: dict[str, Outcome]) -> list[str]:
    """How the sides differ from the first, as lines; empty when all are equal."""
    (first, expected), *others = sides.items()
    return [
        f"{field}: {first} has {getattr(expected, field)}, {name} has {getattr(found, field)}"
        for name, found in others
        for field in Outcome.__dataclass_fields__
        if getattr(found, field) != getattr(expected, field)
    ]
