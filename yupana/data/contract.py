"""Read a data contract (Open Data Contract Standard 3): the one statement of a data set.

Ingestion, validation, DAGs and documentation all ask this module; none states a column or a
rule of its own. Standard: https://bitol-io.github.io/open-data-contract-standard/
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml
from open_data_contract_standard.model import (
    OpenDataContractStandard,
    SchemaObject,
    ServiceLevelAgreementProperty,
)

from yupana.core.errors import TerminalError, UsageError
from yupana.core.hashing import file_sha256
from yupana.data.columns import Column, column_of
from yupana.data.rules import Rule, rules_of

if TYPE_CHECKING:
    from jsonschema import Draft201909Validator

Format = Literal["csv", "xlsx", "json", "parquet", "object"]
Publication = Literal["snapshot", "append", "merge"]
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
_OPTIONS = {
    "licence", "subjectArea", "quarantineLimit", "publication", "encoding", "delimiter",
    "headerRow", "sheet", "member",
}  # fmt: skip
_SCHEDULES = {"d": "@daily", "w": "@weekly", "m": "@monthly", "y": "@yearly"}


@dataclass(frozen=True)
class Contract:
    """What yupana uses of a contract.

    Attributes:
        location: default source: a path in the project, a URL, `ckan+https://…`,
            `dkan+https://…` or `codelist:<name>`.
        limit: share of rows (0-1) that may break one rule before publication stops.
        publication: `snapshot` replaces the table, `append` adds a file's rows, `merge`
            updates by key.
        latency_days: how late a period is usually complete; None when not stated.
        schedule: how often the publisher renews it, as a cron preset; None on demand.
        retention_days: how long raw files are kept; None for ever.
    """

    name: str
    version: str
    sha256: str
    title: str
    publisher: str
    licence: str
    subject_area: str
    purpose: str
    limitations: str
    location: str
    format: Format
    encoding: str
    delimiter: str
    sheet: str | None
    header_row: int
    member: str | None
    limit: float
    publication: Publication
    latency_days: int | None
    schedule: str | None
    retention_days: int | None
    granularity: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    partitions: tuple[str, ...]
    rules: tuple[Rule, ...]

    def at(self, day: date) -> Contract:
        """The contract with its rules set for a release of that day."""
        return replace(self, rules=tuple(rule.at(day) for rule in self.rules))

    @property
    def read(self) -> tuple[Column, ...]:
        """Columns that come from the file, in the contract's order."""
        return tuple(c for c in self.columns if c.published)

    @property
    def used(self) -> tuple[Column, ...]:
        """Columns of the file that are parsed: all but personal ones that nothing needs."""
        needed = {name for c in self.columns for name in c.derive_from}
        return tuple(c for c in self.read if c.treatment != "drop" or c.name in needed)

    @property
    def kept(self) -> tuple[Column, ...]:
        """Columns of the published table: all but those that are dropped at staging."""
        return tuple(c for c in self.columns if c.treatment != "drop")

    @property
    def flags(self) -> tuple[str, ...]:
        """All flags that cleaning may leave in `quality_flags`; empty: no such column."""
        return tuple(c.flag for c in self.columns if c.flag)


def names(root: Path) -> list[str]:
    """Names of all data sets that have a contract."""
    return sorted(p.parent.name for p in (root / "expectations").glob("*/contract.yaml"))


def load(root: Path, name: str) -> Contract:
    """Read and check `expectations/<name>/contract.yaml`.

    Raises:
        UsageError: there is no such contract.
        TerminalError: the file breaks the standard's JSON schema, or states an option that
            does not exist; names the field.
    """
    path = root / "expectations" / name / "contract.yaml"
    if not path.exists():
        raise UsageError(
            f"There is no data set '{name}'.",
            where=str(path),
            fix=f"Use one of: {', '.join(names(root))}; or write that contract.",
        )
    odcs = _checked(path)
    assert odcs.schema_ and odcs.servers and odcs.description
    table, server = odcs.schema_[0], odcs.servers[0]
    custom: dict[str, Any] = {str(p.property): p.value for p in odcs.customProperties or []}
    sla = {s.property: s for s in odcs.slaProperties or []}
    where = str(path.relative_to(root))
    contract = Contract(
        name=name,
        version=str(odcs.version),
        sha256=file_sha256(path),
        title=str(odcs.name),
        publisher=str(odcs.tenant),
        licence=str(custom.get("licence", "none stated")),
        subject_area=str(custom.get("subjectArea", "")),
        purpose=odcs.description.purpose or "",
        limitations=odcs.description.limitations or "",
        location=str(server.path or server.location),
        format=str(server.format or "csv"),  # type: ignore[arg-type]
        encoding=str(custom.get("encoding", "UTF-8")),
        delimiter=str(custom.get("delimiter", ",")),
        sheet=custom.get("sheet"),
        header_row=int(custom.get("headerRow", 1)),
        member=custom.get("member"),
        limit=float(custom.get("quarantineLimit", 0)),
        publication=custom.get("publication", "snapshot"),
        latency_days=_days(sla.get("latency")),
        schedule=_schedule(sla.get("frequency")),
        retention_days=_days(sla.get("retention")),
        granularity=table.dataGranularityDescription or "",
        columns=tuple(column_of(p, where) for p in table.properties or []),
        key=_positions(table, "primaryKey", "primaryKeyPosition"),
        partitions=_positions(table, "partitioned", "partitionKeyPosition"),
        rules=rules_of(root, table),
    )
    _consistent(contract, where, set(custom) - _OPTIONS, sla.get("frequency"))
    return contract


def _checked(path: Path) -> OpenDataContractStandard:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise TerminalError(
            f"The contract is not YAML: {error}", where=str(path), fix="Mend that line."
        ) from error
    for fault in _validator().iter_errors(raw):
        raise TerminalError(
            f"The contract breaks the Open Data Contract Standard: {fault.message}",
            where=f"{path}, at {'/'.join(map(str, fault.absolute_path)) or 'the top'}",
            fix="Mend that field; the standard's page lists what it may hold.",
        )
    return OpenDataContractStandard.model_validate(raw)


@lru_cache(maxsize=1)
def _validator() -> Draft201909Validator:
    # Importing it takes a tenth of a second, which a trace has no use for.
    from jsonschema import Draft201909Validator

    schema = resources.files("open_data_contract_standard") / "schema.json"
    return Draft201909Validator(json.loads(schema.read_text("utf-8")))


def _positions(table: SchemaObject, flag: str, position: str) -> tuple[str, ...]:
    """Names of the properties that bear a flag, in the order of their positions."""
    chosen = [p for p in table.properties or [] if getattr(p, flag)]
    return tuple(str(p.name) for p in sorted(chosen, key=lambda p: getattr(p, position) or 0))


def _days(sla: ServiceLevelAgreementProperty | None) -> int | None:
    return int(str(sla.value)) * _DAYS[str(sla.unit)[0]] if sla else None


def _schedule(sla: ServiceLevelAgreementProperty | None) -> str | None:
    return _SCHEDULES[str(sla.unit)[0]] if sla else None


def _consistent(
    contract: Contract,
    where: str,
    unknown: set[str],
    frequency: ServiceLevelAgreementProperty | None,
) -> None:
    """What the standard's schema cannot say.

    Raises:
        TerminalError: an option, format or publication that does not exist, a frequency that no
            schedule has, or a merge without a key.
    """
    fault = None
    if unknown:
        fault = f"customProperties that do not exist: {', '.join(sorted(unknown))}"
    elif frequency and str(frequency.value) not in ("1", "1.0"):
        fault = f"a frequency of {frequency.value}; state 1 d, 1 w, 1 m or 1 y"
    elif contract.format not in ("csv", "xlsx", "json", "parquet", "object"):
        fault = f"the format '{contract.format}'; use csv, xlsx, json, parquet or object"
    elif contract.publication not in ("snapshot", "append", "merge"):
        fault = f"the publication '{contract.publication}'; use snapshot, append or merge"
    elif contract.publication == "merge" and not contract.key:
        fault = "publication: merge and no primaryKey; mark the columns of the key"
    if fault:
        raise TerminalError(f"The contract has {fault}.", where=where, fix="Mend that field.")
