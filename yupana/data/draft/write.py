"""A draft as YAML: the contract, and beside each field what speaks for it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import yaml

from yupana.data.draft.columns.guess import Guess
from yupana.data.draft.dialect import Dialect
from yupana.data.draft.rows import Rows

TODO = "TODO"
"""Begins what a person must write; `yupana standards check` tells where it is left."""

_LIMITS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)


def contract(
    name: str,
    source: str,
    dialect: Dialect,
    table: Rows,
    columns: tuple[Guess, ...],
    questions: tuple[str, ...],
) -> str:
    """The contract's text.

    Args:
        source: the file's place, as the contract shall name it.
        questions: of the file as a whole.
    """
    lines = [
        "# Drafted by `yupana contract draft`. What speaks for a guess stands beside it; `ask:` is",
        f"# for a person. Replace every {TODO}, then: yupana contract check {name},",
        f"# yupana standards check {name}, yupana ingest {name}",
        *(f"# ask: {_line(q)}" for q in questions),
        *_about(name),
        *_options(dialect, table, columns),
        *_server(source, dialect.format),
        "schema:",
        f"  - name: {plain(name)}",
        "    physicalType: table",
        *_granularity(columns),
        "    properties:",
        *(line for column in columns for line in _column(column, table.frame.height)),
        "    quality:",
        "      - {name: not_empty, type: library, metric: rowCount, mustBeGreaterThan: 0}",
    ]
    return "\n".join(lines) + "\n"


def quote(value: Any) -> str:
    """A value as YAML, texts in double quotes: JSON is YAML, but for letters that YAML forbids."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def plain(name: str) -> str:
    """A name as YAML, quoted where YAML would take it for something else: `null`, `no`, `on`."""
    return quote(name) if name in ("y", "n") or yaml.safe_load(name) != name else name


def _escape(letter: str) -> str:
    # JSON writes two halves where YAML wants one letter.
    return json.dumps(letter)[1:-1] if ord(letter) < 0x10000 else f"\\U{ord(letter):08x}"


def _about(name: str) -> Iterator[str]:
    yield from ("apiVersion: v3.1.0", "kind: DataContract", f"id: {plain(name)}")
    yield f'name: "{TODO}: título en español"'
    yield from ("version: 0.1.0", "status: draft")
    yield f'tenant: "{TODO}: quién lo publica"'
    yield "description:"
    yield f'  purpose: "{TODO}: para qué sirve"'
    yield f'  limitations: "{TODO}: qué le falta"'


def _options(dialect: Dialect, table: Rows, columns: tuple[Guess, ...]) -> Iterator[str]:
    yield "customProperties:"
    yield f'  - {{property: licence, value: "{TODO}: the licence, or that none is stated"}}'
    yield (f'  - {{property: subjectArea, value: "{TODO}: a code of expectations/'
           'subject_areas.csv"}')  # fmt: skip
    limit, why = _limit(table, columns)
    yield f"  - {{property: quarantineLimit, value: {limit:g}}}  # {why}"
    stated: dict[str, Any] = {"member": dialect.member}
    if dialect.format in ("csv", "json"):
        stated["encoding"] = dialect.encoding
    if dialect.format == "csv":
        stated["delimiter"] = dialect.delimiter
    if dialect.format in ("csv", "xlsx"):
        stated["headerRow"] = dialect.header_row
    for option, value in stated.items():
        if value is not None:
            evidence = dialect.evidence.get(option, "")
            yield f"  - {{property: {option}, value: {quote(value)}}}" + _comment(evidence)


def _limit(table: Rows, columns: tuple[Guess, ...]) -> tuple[float, str]:
    """The share of rows that may be set aside, and why: what this file has, rounded up."""
    unread = table.torn + sum(c.broken for c in columns if not c.listed)
    worst = max([unread, *(c.broken for c in columns if c.listed)])
    rows = table.frame.height + table.torn
    share = worst / rows
    if not worst:
        return 0, "every row reads as the types below"
    limit = next((x for x in _LIMITS if share <= x), math.ceil(share * 10) / 10)
    return limit, f"{worst:,} of {rows:,} rows do not read as the types below"


def _server(source: str, format: str) -> Iterator[str]:
    remote = "://" in source or source.startswith("codelist:")
    place, kind = ("location", "custom") if remote else ("path", "local")
    yield "servers:"
    yield "  - server: publisher"
    yield f"    type: {kind}"
    yield f"    {place}: {quote(source)}"
    yield f"    format: {format}"


def _granularity(columns: tuple[Guess, ...]) -> Iterator[str]:
    key = sorted((c for c in columns if c.key), key=lambda c: c.key)
    names = " and ".join(c.name for c in key)
    question = f"one row is one {names}?" if key else "what is one row? No columns make a key"
    yield f'    dataGranularityDescription: "{TODO}: {question}"'


def _column(column: Guess, rows: int) -> Iterator[str]:
    kind, indent = column.kind, "        "
    yield f"      - name: {plain(column.name)}"
    for question in column.questions:
        yield f"{indent}# ask: {_line(question)}"
    yield f"{indent}physicalName: {quote(column.published)}"
    yield f"{indent}logicalType: {kind.type}" + _comment("; ".join(column.evidence))
    if column.personal:
        yield f"{indent}classification: personal"
    elif column.key:
        yield f"{indent}primaryKey: true" + _comment(f"no two of {rows:,} rows share the key")
        yield f"{indent}primaryKeyPosition: {column.key}"
    if column.listed:
        relation = column.listed.column.relation
        yield f"{indent}relationships: [{{type: foreignKey, to: {relation}}}]"
    low, high = column.bounds
    long = "i64" if kind.long else None
    listed = (("format", long), ("minimum", low), ("maximum", high))
    stated = {k: v for k, v in listed if v is not None}
    if stated:
        inside = ", ".join(f"{k}: {v}" for k, v in stated.items())
        yield f"{indent}logicalTypeOptions: {{{inside}}}"
    if column.codes:
        yield f"{indent}enum:" + _comment("all that this file has; another is set aside")
        yield from (f"{indent}  - {{value: {quote(code)}}}" for code in column.codes)
    yield from _custom(column, indent)


def _custom(column: Guess, indent: str) -> Iterator[str]:
    if column.personal:
        return
    kind = column.kind
    options: list[tuple[str, Any, str]] = []
    if column.unit:
        options.append(("unit", column.unit.unit, ""))
    if kind.marks:
        options.append(("missing", list(kind.marks), ""))
    if kind.decimal != ".":
        options.append(("decimal", kind.decimal, ""))
    if kind.thousands:
        options.append(("thousands", kind.thousands, ""))
    if kind.negative != "minus":
        options.append(("negative", kind.negative, ""))
    if kind.dates and kind.dates.formats:
        options.append(("dateFormats", list(kind.dates.formats), ""))
    if column.listed and column.listed.pad:
        options.append(("pad", column.listed.column.length, "the zero in front is put back"))
    if column.not_after:
        options.append(("notAfter", "release", ""))
    if options:
        yield f"{indent}customProperties:"
    for option, value, reason in options:
        yield f"{indent}  - {{property: {option}, value: {quote(value)}}}" + _comment(reason)


def _comment(text: str) -> str:
    return f"  # {_line(text)}" if text else ""


def _line(text: str) -> str:
    """A text that ends no comment: on one line, of characters that YAML allows."""
    return "".join(c if c.isprintable() else " " for c in text)
