"""Read a data contract (Open Data Contract Standard 3): the one statement of a data set.

Ingestion, validation, DAGs and documentation all ask this module; none states a column or a
rule of its own. Standard: https://bitol-io.github.io/open-data-contract-standard/
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from open_data_contract_standard.model import (
    Description,
    OpenDataContractStandard,
    SchemaObject,
    ServiceLevelAgreementProperty,
)

from yupana.core.errors import UsageError
from yupana.core.hashing import file_sha256
from yupana.core.names import must_be
from yupana.data.contracts import file as contract_file
from yupana.data.contracts import release_options, sql_rules, stream_address
from yupana.data.contracts.checks import document
from yupana.data.contracts.checks import stream as stream_options
from yupana.data.contracts.checks.document import Format, Publication
from yupana.data.contracts.columns import Column, column_of
from yupana.data.contracts.release_options import Bounds, bounds_of
from yupana.data.contracts.rules import KEY_COUNT, REPEATED, Rule, rules_of
from yupana.data.contracts.sql_rules import SqlRule

_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
_SCHEDULES = {"h": "@hourly", "d": "@daily", "w": "@weekly", "m": "@monthly", "y": "@yearly"}


@dataclass(frozen=True)
class Contract:
    """What yupana uses of a contract.

    Attributes:
        location: default source: a path in the project, a URL, `ckan+https://…`,
            `dkan+https://…`, `codelist:<name>`, or a stream's
            (`yupana.data.contracts.stream_address`).
        next: the field of a JSON page that holds the address of the next one.
        limit: share of rows (0-1) that may break one rule before publication stops.
        publication: `snapshot` replaces the table, `append` adds a file's rows, `merge`
            updates by key, `replace-period` replaces the periods that a file brings.
        latency_days: how late a period is usually complete; None when not stated.
        schedule: how often the publisher renews it, as a cron preset; None on demand.
        retention_days: how long raw files are kept; None for ever.
        header_rows: lines of the column names, one below the other; 0 alone: the file has none,
            and the columns stand in the contract's order.
        widths: characters of each field, where fields have fixed places.
        skip: pattern of lines that are no rows (totals, footers).
        records: names of the objects that hold the records of JSON, joined by dots.
        repairs_mojibake: whether text that was encoded twice is mended; else it is refused.
        row_count: fewest and most rows of a file; no most: None.
        sql: numbers that the file's good rows must give.
        unquoted: line and text of codes that other readers of YAML take for something else.
        period: the column that tells a row's period; None where none is stated.
        bounds: how far a release may lie from the one before it.
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
    next: str | None
    format: Format
    encoding: str
    delimiter: str
    sheet: str | None
    header_rows: tuple[int, ...]
    widths: tuple[int, ...]
    skip: str | None
    records: str | None
    repairs_mojibake: bool
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
    row_count: tuple[int, int | None]
    sql: tuple[SqlRule, ...]
    unquoted: tuple[tuple[int, str], ...]
    period: str | None
    bounds: Bounds

    def at(self, day: date) -> Contract:
        """The contract with its rules set for a release of that day, or of that instant."""
        return replace(self, rules=tuple(rule.at(day) for rule in self.rules))

    @property
    def stream(self) -> bool:
        """Whether its rows arrive as messages, not as files."""
        return stream_address.is_stream(self.location)

    @property
    def read(self) -> tuple[Column, ...]:
        """Columns that come from the file, in the contract's order."""
        return tuple(c for c in self.columns if c.published)

    @property
    def names_in_order(self) -> list[str]:
        """Names of the columns of a file that has no header."""
        return [str(c.published) for c in self.read]

    @property
    def used(self) -> tuple[Column, ...]:
        """Columns of the file that are parsed: all but personal ones that nothing needs."""
        needed = {name for c in self.columns for name in c.derive_from}
        return tuple(c for c in self.read if c.treatment != "drop" or c.name in needed)

    @property
    def table_columns(self) -> tuple[Column, ...]:
        """Columns of the published table: all but those that are dropped at staging."""
        return tuple(c for c in self.columns if c.treatment != "drop")

    @property
    def counts(self) -> dict[str, tuple[str, ...]]:
        """Columns that must be unique together, by the staged column that counts them."""
        unique = (rule for rule in self.rules if rule.kind == "unique")
        return {r.column: self.key if r.column == KEY_COUNT else (r.subject,) for r in unique}

    @property
    def once(self) -> bool:
        """Whether a period of which all rows come twice is counted once: where no key tells it."""
        return any(rule.kind == "once" for rule in self.rules)

    @property
    def helpers(self) -> tuple[str, ...]:
        """Staged columns that rules are asked of, beside those of the table."""
        own = (rule.column for rule in self.rules if rule.kind in ("once", "names"))
        return (*self.counts, *own, *self.verdicts)

    @property
    def verdicts(self) -> tuple[str, ...]:
        """Staged columns of rules that are asked before a value is changed."""
        return tuple(rule.verdict for rule in self.rules if rule.early)

    @property
    def replaces(self) -> tuple[tuple[str, ...], ...]:
        """Columns by which a file's rows take the place of earlier ones, each group by itself."""
        if self.publication == "merge":
            return (self.key,)
        if self.publication != "replace-period" or self.period is None:
            return ()
        # A key that moved to another period would stand twice.
        return ((self.period,), *([self.key] if self.key else []))

    @property
    def keeps(self) -> bool:
        """Whether a version holds rows of the versions before it."""
        return self.publication != "snapshot" or self.format == "object"

    @property
    def flags(self) -> tuple[str, ...]:
        """All flags that cleaning may leave in `quality_flags`; empty: no such column."""
        return tuple(c.flag for c in self.columns if c.flag)


def names(root: Path) -> list[str]:
    """Names of all data sets that have a contract."""
    return sorted(p.parent.name for p in (root / "expectations").glob("*/contract.yaml"))


def path_of(root: Path, name: str) -> Path:
    """Where a data set's contract is, or would be.

    Raises:
        UsageError: it is no name for a data set.
    """
    must_be(name, "data set", "river_levels", f"expectations/{name}")
    return root / "expectations" / name / "contract.yaml"


def load(root: Path, name: str) -> Contract:
    """Read and check `expectations/<name>/contract.yaml`.

    Raises:
        UsageError: there is no such contract, or that is no name for one.
        TerminalError: the file breaks the standard's JSON schema, or states an option that
            does not exist; names the field.
    """
    path = path_of(root, name)
    if not path.exists():
        raise UsageError(
            f"There is no data set '{name}'.",
            where=str(path),
            fix=f"Use one of: {', '.join(names(root))}; or write that contract.",
        )
    file = contract_file.read(path, str(path.relative_to(root)))
    document.check(file, root)
    return _contract(root, name, file, file_sha256(path))


def _contract(root: Path, name: str, file: contract_file.ContractFile, sha256: str) -> Contract:
    """The contract that a file without a fault states."""
    odcs = OpenDataContractStandard.model_validate(file.content)
    assert odcs.schema_ and odcs.servers
    table, server = odcs.schema_[0], odcs.servers[0]
    about = odcs.description or Description()
    custom: dict[str, Any] = {str(p.property): p.value for p in odcs.customProperties or []}
    sla = {s.property: s for s in odcs.slaProperties or []}
    content = file.content["schema"][0]
    quality = content.get("quality") or []
    location = stream_options.location(file.content["servers"][0], content)
    return Contract(
        name=name,
        version=str(odcs.version),
        sha256=sha256,
        title=str(odcs.name),
        publisher=str(odcs.tenant),
        licence=str(custom.get("licence", "none stated")),
        subject_area=str(custom.get("subjectArea", "")),
        purpose=about.purpose or "",
        limitations=about.limitations or "",
        location=location,
        next=custom.get("next"),
        format=str(server.format or ("json" if stream_address.is_stream(location) else "csv")),  # type: ignore[arg-type]
        encoding=str(custom.get("encoding", "UTF-8")),
        delimiter=str(custom.get("delimiter", ",")),
        sheet=None if custom.get("sheet") is None else str(custom["sheet"]),
        header_rows=_numbers(custom.get("headerRow", 1)),
        widths=_numbers(custom.get("widths", [])),
        skip=custom.get("skip"),
        records=custom.get("records"),
        repairs_mojibake=custom.get("mojibake") == "repair",
        member=custom.get("member"),
        limit=float(custom.get("quarantineLimit", 0)),
        publication=custom.get("publication", "snapshot"),
        latency_days=_days(sla.get("latency")),
        schedule=_schedule(sla.get("frequency")),
        retention_days=_days(sla.get("retention")),
        granularity=table.dataGranularityDescription or "",
        columns=tuple(
            column_of(p, file.where("schema", 0, "properties", number))
            for number, p in enumerate(table.properties or [])
        ),
        key=_positions(table, "primaryKey", "primaryKeyPosition"),
        partitions=_positions(table, "partitioned", "partitionKeyPosition"),
        rules=(*rules_of(root, table), *_of_period(table, custom.get("period"), location)),
        row_count=release_options.row_bounds(quality),
        sql=tuple(sql_rules.rule_of(q) for q in quality if q.get("type") == "sql"),
        unquoted=file.unquoted,
        period=custom.get("period"),
        bounds=bounds_of(custom.get("change")),
    )


def _of_period(table: SchemaObject, period: str | None, location: str) -> tuple[Rule, ...]:
    keyed = any(p.primaryKey or p.unique for p in table.properties or [])
    if period is None or keyed or stream_address.is_stream(location):
        return ()
    return (Rule("once", REPEATED),)


def _numbers(value: int | list[int]) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, list) else (value,)


def _positions(table: SchemaObject, flag: str, position: str) -> tuple[str, ...]:
    """Names of the properties that bear a flag, in the order of their positions."""
    bearers = [p for p in table.properties or [] if getattr(p, flag)]
    return tuple(str(p.name) for p in sorted(bearers, key=lambda p: getattr(p, position) or 0))


def _days(sla: ServiceLevelAgreementProperty | None) -> int | None:
    return int(str(sla.value)) * _DAYS[document.UNITS[str(sla.unit)]] if sla else None


def _schedule(sla: ServiceLevelAgreementProperty | None) -> str | None:
    return _SCHEDULES[document.FREQUENCIES[str(sla.unit)]] if sla else None
