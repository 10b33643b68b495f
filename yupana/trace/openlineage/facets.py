"""What OpenLineage is told of a data set beyond its name; nothing of any row."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from openlineage.client.facet_v2 import (
    DatasetFacet,
    InputDatasetFacet,
    OutputDatasetFacet,
    data_quality_assertions_dataset,
    dataset_type_dataset,
    dataset_version_dataset,
    datasource_dataset,
    output_statistics_output_dataset,
    ownership_dataset,
    schema_dataset,
    storage_dataset,
    symlinks_dataset,
    tags_dataset,
)

from yupana.config.settings import Settings
from yupana.data.lake import delta
from yupana.lineage.events import Event
from yupana.trace.openlineage.names import DatasetName

Facets = dict[str, DatasetFacet]
_COUNTS = {"staging": "read", "quarantine": "quarantined"}


def of(settings: Settings, ref: str, dataset: DatasetName) -> Facets:
    """The facets that follow from the reference alone."""
    facets: Facets = {}
    if dataset.version:
        facets["version"] = dataset_version_dataset.DatasetVersionDatasetFacet(dataset.version)
    kind = ref.partition(":")[0]
    if kind == "delta":
        zone, table, version = delta.parts(ref)
        facets["storage"] = storage_dataset.StorageDatasetFacet("delta", "parquet")
        lake = settings.lake.absolute().as_uri()
        facets["dataSource"] = datasource_dataset.DatasourceDatasetFacet("lake", lake)
        facets["symlinks"] = _also(settings.openlineage_namespace, f"{zone}/{table}", "TABLE")
        if columns := _columns(settings.table(zone, table), version):
            facets["schema"] = schema_dataset.SchemaDatasetFacet(
                [schema_dataset.SchemaDatasetFacetFields(n, t) for n, t in columns]
            )
    elif kind in ("raw", "model"):
        sort = "FILE" if kind == "raw" else "MODEL"
        facets["datasetType"] = dataset_type_dataset.DatasetTypeDatasetFacet(sort)
    return facets


def of_landed(event: Event) -> Facets:
    """Where a file came from, who publishes it, and under which licence: of its landing."""
    facts = event["facts"]
    raw = facts.get("raw", {})
    facets: Facets = {}
    if source := raw.get("source"):
        facets["dataSource"] = datasource_dataset.DatasourceDatasetFacet(*_address(str(source)))
    if path := raw.get("path"):
        facets["symlinks"] = _also("file", str(path), "FILE")
    if publisher := facts.get("publisher"):
        owner = ownership_dataset.Owner(str(publisher), "PUBLISHER")
        facets["ownership"] = ownership_dataset.OwnershipDatasetFacet([owner])
    if licence := facts.get("licence"):
        tag = tags_dataset.TagsDatasetFacetFields("licence", str(licence), "yupana")
        facets["tags"] = tags_dataset.TagsDatasetFacet([tag])
    return facets


def assertions(settings: Settings, name: str, validation: str) -> dict[str, InputDatasetFacet]:
    """Every rule of an audit by Great Expectations and whether it held; empty when not kept.

    How many rows broke a rule stays here: a small number may point at a person.
    """
    path = settings.reports / "validation" / f"{name}-{validation}.json"
    if not path.exists():
        return {}
    kind = data_quality_assertions_dataset
    rules = []
    for result in json.loads(path.read_text("utf-8"))["results"]:
        config = result["expectation_config"]
        rule = config.get("meta", {}).get("rule") or config.get("type", "rule")
        column = config.get("kwargs", {}).get("column")
        rules.append(kind.Assertion(str(rule), bool(result["success"]), column))
    return {"dataQualityAssertions": kind.DataQualityAssertionsDatasetFacet(rules)}


def output_statistics(event: Event, ref: str) -> dict[str, OutputDatasetFacet]:
    """How many rows, or bytes of a file, a step wrote; empty where its event does not say."""
    facts = event["facts"]
    rows, size = None, None
    if ref.startswith("raw:"):
        size = facts.get("raw", {}).get("size")
    elif ref.startswith("delta:"):
        rows = facts.get("rows")
        if isinstance(rows, dict):
            rows = rows.get(_COUNTS.get(delta.parts(ref).zone, "published"))
    if rows is None and size is None:
        return {}
    kind = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet
    return {"outputStatistics": kind(rows, size)}


def _also(namespace: str, name: str, sort: str) -> DatasetFacet:
    other = symlinks_dataset.Identifier(namespace, name, sort)
    return symlinks_dataset.SymlinksDatasetFacet([other])


def _address(source: str) -> tuple[str, str | None]:
    """Name and address of a source; no password or key in an address goes out, no folder here."""
    parts = urlsplit(source)
    if not parts.hostname:
        return Path(source).name, None
    host = parts.hostname + (f":{parts.port}" if parts.port else "")
    return Path(parts.path).name or host, urlunsplit((parts.scheme, host, parts.path, "", ""))


@lru_cache(maxsize=4_000)
def _columns(table: Path, version: int) -> tuple[tuple[str, str], ...]:
    """Names and types of a table's columns in a version; empty when its log is no longer kept."""
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        fields = DeltaTable(table, version=version).schema().fields
    except DeltaError:
        return ()
    return tuple((field.name, _type(json.loads(field.type.to_json()))) for field in fields)


def _type(type: Any) -> str:
    return type if isinstance(type, str) else str(type.get("type", "struct"))
