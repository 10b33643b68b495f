"""Rows in quarantine, told so that the agency can mend its file: line, column, rule, shape.

No value is read: what a cell looked like is kept as a class (letters `a`, digits `9`), and for
personal columns not even that is shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.data.contracts.contract import Contract
from yupana.data.contracts.rules import Rule
from yupana.data.contracts.stream_address import FIELDS
from yupana.data.lake import catalogue, delta, history, reading
from yupana.data.streams import message
from yupana.lineage import events

HIDDEN = "(personal: not shown)"
TWICE = "(there, and not once alone)"
State = Literal["current", "superseded", "refused"]
_READ = ("broken_rules", "value_classes", "source_line", "source_sha256")


@dataclass(frozen=True)
class Refusal:
    """One rule that one row breaks.

    Attributes:
        column: the column's name in the published file; those it is derived from, joined by
            commas, when the file has no such column.
        state: whether its file is published now (`current`), was replaced by a later release
            (`superseded`), or was refused whole (`refused`).
        place: where a message of a stream was: topic, partition, offset; empty in a file.
        value_class: the value's shape, empty when there was no value; of a key, `TWICE`.
    """

    source: str
    source_sha256: str
    line: int
    column: str
    rule: str
    value_class: str
    fix: str
    state: State
    place: str = ""


def refusals(settings: Settings, contract: Contract, rule: str | None = None) -> list[Refusal]:
    """All refusals of a data set, the newest file's first, by line.

    A cell that could not be read is told once, and not as an empty one as well.

    Args:
        rule: only those of this rule.

    Raises:
        TerminalError: the data set was never ingested.
        UsageError: the contract has no such rule; names them.
    """
    names = [r.name for r in contract.rules]
    if rule and rule not in names:
        raise UsageError(
            f"'{contract.name}' has no rule '{rule}'.",
            where=f"expectations/{contract.name}/contract.yaml",
            fix=f"Use one of: {', '.join(names)}.",
        )
    landed = sources(settings, contract.name)
    newest = {sha256: number for number, sha256 in enumerate(landed)}
    rows = _rows(settings, contract)
    rows.sort(key=lambda r: (-newest.get(r["source_sha256"], -1), r["source_line"]))
    rules = {r.name: r for r in contract.rules}
    publications = history.published_versions(settings.table("published", contract.name))
    by_file = states(contract, publications)
    at = [(row["source_sha256"], row["source_line"]) for row in rows] if contract.stream else []
    places = message.places(settings, contract.name, at, _hidden(contract))
    return [
        Refusal(
            source=landed.get(row["source_sha256"], "a file that the event log does not name"),
            source_sha256=row["source_sha256"],
            line=row["source_line"],
            column=column,
            rule=name,
            value_class=shape,
            fix=_fix(contract, rules.get(name)),
            state=by_file.get(row["source_sha256"], "refused"),
            place=places.get((row["source_sha256"], row["source_line"]), ""),
        )
        for row in rows
        for name in row["broken_rules"]
        if rule in (None, name)
        for column, shape in _places(contract, name, rules.get(name), row)
    ]


def states(contract: Contract, publications: list[history.Publication]) -> dict[str, State]:
    """The state of every file that was ever published, by its hash; any other was refused whole.

    Args:
        publications: of the data set's table, oldest first.

    Returns:
        `current` for files whose rows the table holds; `superseded` for those that a later release
        replaced: under `merge` and `replace-period` one of the same source, under `snapshot` any.
    """
    by_file: dict[str, State] = {}
    for publication in publications:
        by_file |= dict.fromkeys(publication.sources, "superseded")
    if contract.publication == "snapshot" and contract.format != "object":
        standing = publications[-1:]
    elif contract.publication in ("merge", "replace-period"):
        standing = list({p.source: p for p in history.line(publications)}.values())
    else:
        standing = history.line(publications)
    for publication in standing:
        by_file |= dict.fromkeys(publication.sources, "current")
    return by_file


def sources(settings: Settings, name: str) -> dict[str, str]:
    """Where each landed file of a data set came from, by its hash, oldest first."""
    by_file: dict[str, str] = {}
    for event in events.done(settings.events, "land", name):
        raw = event["facts"]["raw"]
        by_file.setdefault(raw["sha256"], raw["source"])
    return dict(reversed(by_file.items()))


def _rows(settings: Settings, contract: Contract) -> list[dict[str, Any]]:
    from deltalake import DeltaTable

    table = settings.table("quarantine", contract.name)
    if not delta.exists(table):
        if delta.exists(settings.table("published", contract.name)):
            return []
        raise TerminalError(
            f"'{contract.name}' was never ingested.",
            where=str(table),
            fix=f"Run `yupana ingest {contract.name}` first.",
        )
    loaded = DeltaTable(table)
    there = {field.name for field in loaded.schema().fields}
    read = reading.dataset(loaded).to_table(columns=[c for c in _READ if c in there])
    rows: list[dict[str, Any]] = read.to_pylist()
    return rows


def _places(
    contract: Contract, name: str, rule: Rule | None, row: dict[str, Any]
) -> list[tuple[str, str]]:
    """(column in the file, shape of the value) of what broke a rule in a row."""
    if rule and rule.kind == "required" and {"row", rule.column} & _unread_columns(contract, row):
        return []
    shapes = dict(row.get("value_classes") or [])
    shape = shapes.get(name) or ""
    if name == "row.parsed":
        return _unread(contract, shape)
    if name == "key.unique":
        return [(", ".join(_published(contract, k) for k in contract.key), TWICE)]
    column = name.rsplit(".", 1)[0]
    return [(_published(contract, column), _shape(contract, column, shape))]


def _unread_columns(contract: Contract, row: dict[str, Any]) -> set[str]:
    """Columns of a row whose cells are there and could not be read; `row`: all of them."""
    shape = dict(row.get("value_classes") or []).get("row.parsed")
    return {name for name, _ in _pairs(contract, shape)} if shape else set()


def _pairs(contract: Contract, shape: str) -> list[tuple[str, str]]:
    """Staging writes `week: 99a, cases: a` when two cells could not be read."""
    names = "|".join(re.escape(c.name) for c in contract.columns)
    parts = re.split(rf"(?:^|, )({names}|row): ", shape)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True)) or [("row", shape)]


def _unread(contract: Contract, shape: str) -> list[tuple[str, str]]:
    return [
        ("the whole row", text)
        if column == "row"
        else (_published(contract, column), _shape(contract, column, text))
        for column, text in _pairs(contract, shape)
    ]


def _published(contract: Contract, name: str) -> str:
    column = next((c for c in contract.columns if c.name == name), None)
    if column is None:
        return name
    if column.published:
        return column.published
    return ", ".join(_published(contract, origin) for origin in column.derive_from)


def _shape(contract: Contract, name: str, shape: str) -> str:
    """A shape, unless the column is personal or made from personal ones."""
    by_name = {c.name: c for c in contract.columns}
    column = by_name.get(name)
    if column is None:
        return HIDDEN
    made_of = [by_name[o] for o in column.derive_from if o in by_name]
    return HIDDEN if any(c.personal for c in (column, *made_of)) else shape


def _hidden(contract: Contract) -> dict[str, str]:
    """The fields of a message that personal columns are made of, and what is shown for them."""
    by_name = {c.name: c for c in contract.columns}
    personal = [c for c in contract.columns if c.personal]
    origins = [by_name[o] for c in personal for o in c.derive_from if o in by_name]
    names = {str(c.published).removeprefix("@") for c in (*personal, *origins)
             if str(c.published).startswith("@")}  # fmt: skip
    return {name: HIDDEN for name in names if name in FIELDS}


def _fix(contract: Contract, rule: Rule | None) -> str:
    if rule is None:
        return "The contract no longer has this rule: ingest the file again."
    column = next((c for c in contract.columns if c.name == rule.column), None)
    if rule.kind == "parsed" and contract.stream:
        return "Send one JSON object a message, each value as its column's type."
    if rule.kind == "parsed":
        return "Write the value as its column's type; quote fields that hold the delimiter."
    if rule.kind == "not_after_release":
        late = f"Mend {_published(contract, rule.column)}, which lies after the release"
        return f"{late}; if the file is newer, ingest it with the right --as-of."
    if column is not None and column.derive:
        return f"Mend {_published(contract, column.name)}: {column.derive} finds nothing for it."
    if rule.kind == "unique":
        return f"Leave one row for each {rule.subject}."
    if rule.kind == "names":
        return f"Write the {rule.subject} of these names, or the names of this {rule.subject}."
    if rule.kind == "once":
        return "Nothing is lost: the period's rows came twice, and stand once in the table."
    if rule.kind == "required":
        return "Fill in the cell."
    return f"Write a value that is {catalogue.says(rule)}."
