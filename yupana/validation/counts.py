"""What the quality indicators count in one published version.

Fill counts come from the Delta log's statistics, rule checks from the audit that was kept: no
JVM, and no value of a record but its period and its flags.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.core.types import Frozen
from yupana.data import reading
from yupana.data.contract import Contract
from yupana.data.history import Publication
from yupana.validation import periods

if TYPE_CHECKING:
    from deltalake import DeltaTable

FLAGS = "quality_flags"


class RuleChecks(Frozen):
    """How often a rule was checked and kept when the files were read."""

    rule: str
    column: str
    made: int
    kept: int


class Counts:
    """What can be counted in one version, read once.

    Attributes:
        rows: rows of the version.
        nulls: empty cells by column, of the contract's columns that the version has.
        flags: cleaned values by column; `flagged_rows` have at least one.
        quarantined: refused rows of the files that make up the version.
    """

    def __init__(
        self,
        settings: Settings,
        contract: Contract,
        known: Publication,
        earlier: list[Publication],
    ) -> None:
        from deltalake import DeltaTable

        self._settings, self._contract = settings, contract
        table = settings.table("published", contract.name)
        self._loaded = DeltaTable(table, version=known.tidy_version)
        there = {field.name for field in self._loaded.schema().fields}
        self._columns = [c.name for c in contract.kept if c.name in there]
        self._sources = _sources(contract, known, earlier)
        self.rows, self.nulls = _nulls(self._loaded, self._columns)
        self.flags, self.flagged_rows = _flags(self._loaded) if FLAGS in there else (Counter(), 0)
        self.quarantined = sum(p.set_aside for p in self._sources)

    def cells(self) -> tuple[int, int]:
        """Filled cells and all cells."""
        every = self.rows * len(self._columns)
        return every - sum(self.nulls.values()), every

    def days(self) -> list[date]:
        """The distinct periods of the rows, ascending; none where the contract expects none."""
        names = periods.columns(self._contract)
        if not periods.expected(self._contract) or not set(names) <= set(self._columns):
            return []
        rows = reading.frame(self._loaded, list(names))
        days: list[date] = periods.of_rows(rows, names).drop_nulls().unique().sort().to_list()
        return days

    def rules(self) -> list[RuleChecks]:
        """Rule checks of the audits of all files in this version, by rule."""
        made: dict[str, RuleChecks] = {}
        for publication in self._sources:
            for found in _audit(self._settings, self._contract.name, publication.validation):
                before = made.get(found.rule, RuleChecks(rule=found.rule, column=found.column,
                                                         made=0, kept=0))  # fmt: skip
                made[found.rule] = before.model_copy(
                    update={"made": before.made + found.made, "kept": before.kept + found.kept}
                )
        return list(made.values())


def _sources(
    contract: Contract, known: Publication, earlier: list[Publication]
) -> list[Publication]:
    """The publications whose files make up a version: one and its corrections, or each file's
    newest."""
    if contract.publication == "snapshot":
        mine = [p for p in earlier if p.release == known.release]
        first = max((i for i, p in enumerate(mine) if not p.mends), default=0)
        earlier = mine[first:]
    return list({p.source_sha256: p for p in earlier}.values())


def _nulls(loaded: DeltaTable, columns: list[str]) -> tuple[int, dict[str, int]]:
    """Rows and empty cells by column, from the log where it has them, else from the rows."""
    import pyarrow as pa

    actions = pa.table(loaded.get_add_actions(flatten=True))
    nulls: dict[str, int] = {}
    for name in columns:
        counted = f"null_count.{name}"
        found = actions[counted].to_pylist() if counted in actions.column_names else [None]
        known = [n for n in found if n is not None]
        if len(known) < len(found):
            known = [reading.frame(loaded, [name])[name].null_count()]
        nulls[name] = sum(known)
    return loaded.count(), nulls


def _flags(loaded: DeltaTable) -> tuple[Counter[str], int]:
    """Flags by column, and how many rows have one."""
    flags = reading.frame(loaded, [FLAGS])[FLAGS]
    each = flags.drop_nulls().explode(empty_as_null=False)
    return Counter(str(f).rsplit(".", 1)[0] for f in each), int((flags.list.len() > 0).sum())


def _audit(settings: Settings, name: str, validation: str) -> list[RuleChecks]:
    """The checks of a kept audit; an empty value is checked by `required` alone."""
    path = settings.reports / "validation" / f"{name}-{validation}.json"
    if not path.exists():
        return []
    found = []
    for r in json.loads(path.read_text("utf-8"))["results"]:
        rule = (r["expectation_config"].get("meta") or {}).get("rule")
        if rule and "element_count" in r["result"]:
            made = r["result"]["element_count"] - (r["result"].get("missing_count") or 0)
            kept = made - (r["result"].get("unexpected_count") or 0)
            column = r["expectation_config"]["kwargs"]["column"]
            found.append(RuleChecks(rule=rule, column=column, made=made, kept=kept))
    return found
