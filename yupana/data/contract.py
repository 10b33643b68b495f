"""Read a data contract (Open Data Contract Standard 3): the one statement of a data set.

Ingestion, validation, DAGs and documentation all ask this module; none states a column or a
rule of its own. Standard: https://bitol-io.github.io/open-data-contract-standard/
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft201909Validator
from open_data_contract_standard.model import OpenDataContractStandard, SchemaProperty

from yupana.core.errors import TerminalError, UsageError
from yupana.core.hashing import file_sha256
from yupana.data.rules import Rule, rules_of


@dataclass(frozen=True)
class Column:
    """A column: `published` is its name in the file, None when it is derived."""

    name: str
    published: str | None
    type: str
    personal: bool
    derive: str | None
    derive_from: tuple[str, ...]


@dataclass(frozen=True)
class Contract:
    """What yupana uses of a contract; `source` is the default file, `limit` a share 0-1."""

    name: str
    version: str
    sha256: str
    title: str
    publisher: str
    licence: str
    source: Path
    encoding: str
    delimiter: str
    limit: float
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]

    @property
    def read(self) -> tuple[Column, ...]:
        """Columns that come from the file, in the contract's order."""
        return tuple(c for c in self.columns if c.published)

    @property
    def kept(self) -> tuple[Column, ...]:
        """Columns of the published table: all but personal data."""
        return tuple(c for c in self.columns if not c.personal)


def names(root: Path) -> list[str]:
    """Names of all data sets that have a contract."""
    return sorted(p.parent.name for p in (root / "expectations").glob("*/contract.yaml"))


def load(root: Path, name: str) -> Contract:
    """Read and check `expectations/<name>/contract.yaml`.

    Raises:
        UsageError: there is no such contract.
        TerminalError: the file breaks the standard's JSON schema; names the field.
    """
    path = root / "expectations" / name / "contract.yaml"
    if not path.exists():
        raise UsageError(
            f"There is no data set '{name}'.",
            where=str(path),
            fix=f"Use one of: {', '.join(names(root))}; or write that contract.",
        )
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    _check(raw, path)
    odcs = OpenDataContractStandard.model_validate(raw)
    assert odcs.schema_ and odcs.servers and odcs.description
    table, server = odcs.schema_[0], odcs.servers[0]
    custom = {p.property: p.value for p in odcs.customProperties or []}
    return Contract(
        name=name,
        version=str(odcs.version),
        sha256=file_sha256(path),
        title=str(odcs.name),
        publisher=str(odcs.tenant),
        licence=str(custom["licence"]),
        source=root / str(server.path),
        encoding=str(custom.get("encoding", "UTF-8")),
        delimiter=str(custom.get("delimiter", ",")),
        limit=float(str(custom["quarantineLimit"])),
        columns=tuple(_column(p) for p in table.properties or []),
        rules=rules_of(table),
    )


def _check(raw: Any, path: Path) -> None:
    schema = json.loads(
        (resources.files("open_data_contract_standard") / "schema.json").read_text("utf-8")
    )
    for error in Draft201909Validator(schema).iter_errors(raw):
        raise TerminalError(
            f"The contract breaks the Open Data Contract Standard: {error.message}",
            where=f"{path}, at {'/'.join(map(str, error.absolute_path)) or 'the top'}",
            fix="Mend that field; the standard's page lists what it may hold.",
        )


def _column(p: SchemaProperty) -> Column:
    return Column(
        name=str(p.name),
        published=None if p.transformLogic else p.physicalName or p.name,
        type=p.logicalType or "string",
        personal=p.classification == "personal",
        derive=p.transformLogic,
        derive_from=tuple(p.transformSourceObjects or ()),
    )
