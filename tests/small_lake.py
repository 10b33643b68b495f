"""A small lake made without Spark: one contract of its own and real Delta tables."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from deltalake import CommitProperties, write_deltalake

from yupana.config.settings import ROOT, Settings
from yupana.data.contracts import contract
from yupana.data.lake import delta
from yupana.lineage import events

NAME = "notified_cases"
SECRET = "f3a9c1d2"
CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: notified_cases
name: Casos notificados
version: 1.0.0
status: active
tenant: Red de Salud
description: {purpose: Vigilancia.}
customProperties:
  - {property: licence, value: CC BY 4.0}
  - {property: subjectArea, value: epidemiology}
servers: [{server: file, type: local, path: cases.csv, format: csv}]
slaProperties:
  - {property: frequency, value: 1, unit: w}
  - {property: latency, value: 2, unit: w}
schema:
  - name: notified_cases
    physicalType: table
    dataGranularityDescription: One row is one notified case.
    properties:
      - name: year
        physicalName: Año
        logicalType: integer
        required: true
        logicalTypeOptions: {minimum: 2000}
      - name: week
        physicalName: Semana
        logicalType: integer
        required: true
        logicalTypeOptions: {minimum: 1, maximum: 53}
      - name: diagnosis_class
        physicalName: Clase
        logicalType: string
        enum: [{value: A}, {value: B}, {value: C}]
      - name: fever
        physicalName: Temperatura
        logicalType: number
        customProperties:
          - {property: unit, value: °C}
          - {property: outlier, value: {maximum: 43, action: flag}}
      - name: patient
        physicalName: DNI
        logicalType: string
        classification: personal
        customProperties: [{property: treatment, value: pseudonymise}]
      - {name: note, physicalName: Nota, logicalType: string}
"""


def make(home: Path, contract: str = CONTRACT) -> Settings:
    """Settings of a project with this contract and the shared subject areas."""
    root = home / "project"
    folder = root / "expectations" / NAME
    folder.mkdir(parents=True)
    (folder / "contract.yaml").write_text(contract, encoding="utf-8")
    shutil.copy(ROOT / "expectations" / "subject_areas.csv", root / "expectations")
    return Settings(root=root, home=home / "home")


def frame(*, weeks: range = range(1, 11), flags: int = 0, each: int = 6) -> pl.DataFrame:
    """`each` cases in every week of 2024; the last class is rare, the first `flags` rows hot."""
    rows = [
        {
            "year": 2024,
            "week": week,
            "diagnosis_class": "A" if i < each - 1 else "B",
            "fever": 38.5,
            "patient": f"{SECRET}{week:02}{i:02}",
            "note": None if i else "grave",
        }
        for week in weeks
        for i in range(each)
    ]
    rows[0]["diagnosis_class"] = "C"
    schema = {"year": pl.Int32, "week": pl.Int32}
    frame_of_rows = pl.DataFrame(rows, schema_overrides=schema).with_row_index("source_line", 2)
    flag = pl.when(pl.col("source_line") < 2 + flags).then(pl.lit(["fever.outlier_flag"]))
    return frame_of_rows.with_columns(
        pl.col("source_line").cast(pl.Int64),
        flag.otherwise(pl.lit([], dtype=pl.List(pl.String))).alias("quality_flags"),
    )


def publish(
    settings: Settings,
    rows: pl.DataFrame,
    *,
    known_on: str,
    source: str = "a",
    quarantined: int = 0,
    validation: str = "v1",
    broken: dict[str, int] | None = None,
    empty: dict[str, int] | None = None,
    partition: str | None = None,
) -> int:
    """Commit a version as ingestion does, with its audit and events; returns the version."""
    about = contract.load(settings.root, NAME)
    sha256 = source * 64
    table = settings.table("published", NAME)
    table.parent.mkdir(parents=True, exist_ok=True)
    counts = {
        "read": len(rows) + quarantined,
        "published": len(rows),
        "quarantined": quarantined,
    }
    facts: dict[str, Any] = {
        "source_sha256": sha256,
        "source": f"{source}.csv",
        "contract": NAME,
        "contract_version": about.version,
        "contract_sha256": about.sha256,
        "validation": validation,
        "known_on": known_on,
        "rows": counts,
        "run": f"run-{source}",
    }
    table_rows = rows.with_columns(pl.lit(sha256).alias("source_sha256"))
    commit(table, table_rows, delta.commit_metadata(**facts), partition)
    version = delta.version_of(table)
    audit(settings, validation, counts["read"], broken or {}, empty or {})
    raw = {"dataset": NAME, "path": "", "sha256": sha256, "size": 1, "source": f"{source}.csv"}
    events.append(
        settings, "land", NAME, status="done", outputs=(f"raw:{sha256}",),
        facts={"raw": raw, "publisher": about.publisher, "licence": about.licence},
    )  # fmt: skip
    events.append(
        settings, "ingest", NAME, status="done", inputs=(f"raw:{sha256}",),
        outputs=(f"delta:published/{NAME}@{version}", f"validation:{validation}"), facts=facts,
        files=[settings.reports / "validation" / f"{NAME}-{validation}.json"],
    )  # fmt: skip
    return version


def commit(
    table: Path, rows: pl.DataFrame, metadata: str | None, partition: str | None = None
) -> None:
    """Overwrite a table, with or without metadata of ours."""
    custom = {"userMetadata": metadata} if metadata else {}
    write_deltalake(
        table,
        rows.to_arrow(),
        mode="overwrite",
        schema_mode="overwrite",
        partition_by=partition,
        commit_properties=CommitProperties(custom_metadata=custom),
    )


def audit(
    settings: Settings, validation: str, rows: int, broken: dict[str, int], empty: dict[str, int]
) -> None:
    """The part of a Great Expectations result that is read again; `empty` values by rule."""
    results = []
    for rule in contract.load(settings.root, NAME).rules:
        result = {"element_count": rows, "unexpected_count": broken.get(rule.name, 0)}
        if rule.kind not in ("required", "parsed"):
            result["missing_count"] = empty.get(rule.name, 0)
        config = {"kwargs": {"column": rule.column}, "meta": {"rule": rule.name}}
        results.append({"success": True, "expectation_config": config, "result": result})
    folder = settings.reports / "validation"
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"success": True, "results": results})
    (folder / f"{NAME}-{validation}.json").write_text(text)
    (folder / f"{NAME}-{validation}.html").write_text("<p>audit</p>")


def refuse(settings: Settings, source: str, rows: list[dict[str, Any]]) -> None:
    """Put rows into quarantine as ingestion does: line, broken rules, value classes."""
    import pyarrow as pa

    schema = pa.schema(
        [
            ("patient", pa.string()),
            ("source_line", pa.int64()),
            ("source_sha256", pa.string()),
            ("broken_rules", pa.list_(pa.string())),
            ("value_classes", pa.map_(pa.string(), pa.string())),
        ]
    )
    full = [
        {
            "patient": SECRET,
            "source_line": row["line"],
            "source_sha256": source * 64,
            "broken_rules": list(row["broken"]),
            "value_classes": list(row["broken"].items()),
        }
        for row in rows
    ]
    table = settings.table("quarantine", NAME)
    table.parent.mkdir(parents=True, exist_ok=True)
    write_deltalake(table, pa.Table.from_pylist(full, schema=schema), mode="append")


def day(text: str) -> date:
    return date.fromisoformat(text)
