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
from yupana.data.contracts.contract import Contract
from yupana.data.lake import reading
from yupana.data.lake.history import Publication
from yupana.validation import periods
from yupana.validation.indicators import Ratio

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
        publication: Publication,
        earlier: list[Publication],
    ) -> None:
        from deltalake import DeltaTable

        self._settings, self._contract = settings, contract
        table = settings.table("published", contract.name)
        self._loaded = DeltaTable(table, version=publication.tidy_version)
        there = {field.name for field in self._loaded.schema().fields}
        self._columns = [c.name for c in contract.table_columns if c.name in there]
        self._sources = _sources(contract, publication, earlier)
        self.rows, self.nulls = _nulls(self._loaded, self._columns)
        self.flags, self.flagged_rows = _flags(self._loaded) if FLAGS in there else (Counter(), 0)
        self.quarantined = sum(p.quarantine_growth for p in self._sources)

    def cells(self) -> Ratio:
        """Filled cells and all cells."""
        every = self.rows * len(self._columns)
        return Ratio(every - sum(self.nulls.values()), every)

    def days(self) -> list[date]:
        """The distinct periods of the rows, ascending; none where the contract expects none."""
        names = periods.columns(self._contract)
        if not periods.has_calendar(self._contract) or not set(names) <= set(self._columns):
            return []
        rows = reading.frame(self._loaded, list(names))
        days: list[date] = periods.of_rows(rows, names).drop_nulls().unique().sort().to_list()
        return days

    def rules(self) -> list[RuleChecks]:
        """Rule checks of the audits of all files in this version, by rule."""
        by_rule: dict[str, RuleChecks] = {}
        for publication in self._sources:
            for checks in _audit(self._settings, self._contract.name, publication.validation):
                before = by_rule.get(checks.rule, RuleChecks(rule=checks.rule, column=checks.column,
                                                         made=0, kept=0))  # fmt: skip
                by_rule[checks.rule] = before.model_copy(
                    update={"made": before.made + checks.made, "kept": before.kept + checks.kept}
                )
        return list(by_rule.values())


def _sources(
    contract: Contract, publication: Publication, earlier: list[Publication]
) -> list[Publication]:
    """The publications whose files make up a version: one and its corrections, or each file's
    newest."""
    if contract.publication == "snapshot":
        mine = [p for p in earlier if p.release == publication.release]
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
        counts = actions[counted].to_pylist() if counted in actions.column_names else [None]
        numbers = [n for n in counts if n is not None]
        if len(numbers) < len(counts):
            numbers = [reading.frame(loaded, [name])[name].null_count()]
        nulls[name] = sum(numbers)
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
    checks = []
    for r in json.loads(path.read_text("utf-8"))["results"]:
        about = r["expectation_config"].get("meta") or {}
        rule = about.get("rule")
        if rule and "element_count" in r["result"]:
            number = r["result"]["element_count"] - (r["result"].get("missing_count") or 0)
            successes = number - (r["result"].get("unexpected_count") or 0)
            column = about.get("column") or r["expectation_config"]["kwargs"]["column"]
            checks.append(RuleChecks(rule=rule, column=column, made=number, kept=successes))
    return checks
