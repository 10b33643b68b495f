"""The data model as a page: every table with its columns, keys and relations, from the contracts.

The diagram is Mermaid's erDiagram, which GitHub and GitLab draw by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from yupana.data.contracts.columns import Column
from yupana.data.contracts.contract import Contract
from yupana.validation.conventions import CONVENTIONS, Lake

_HEAD = """# Data model

Made by `yupana standards model` from the contracts in `expectations/`; not written by hand.
A published table is a Delta table in `var/lake/published/<name>`. Beside these columns every
row carries `source_sha256` and `source_line`, the file and line that it came from, and
`quality_flags` where its contract declares cleaning that flags.
"""


def page(lake: Lake) -> str:
    """The whole page as Markdown; the same text for the same contracts."""
    tables = sorted(lake.contracts.values(), key=lambda c: (c.subject_area, c.name))
    parts = [_HEAD, "## Relations\n", _diagram(tables)]
    for area in sorted({t.subject_area for t in tables}):
        title = lake.areas.get(area, "not a known subject area")
        parts.append(f"## {area}: {title}\n")
        parts += [_table(t) for t in tables if t.subject_area == area]
    parts.append("## Standards\n\nChecked by `yupana standards check`.\n")
    parts.append("\n".join(f"- `{name}`: {says}" for name, (says, _) in CONVENTIONS.items()))
    return "\n".join(parts) + "\n"


def _diagram(tables: list[Contract]) -> str:
    """Tables that relate to another, with their keys; all columns stand in the tables below."""
    lines = [line for table in tables for line in _relations(table)]
    related = {name for line in lines for name in (line.split()[0], line.split()[2])}
    boxes = [line for t in tables if t.name in related for line in _box(t)]
    alone = ", ".join(t.name for t in tables if t.name not in related)
    body = [f"    {line}" for line in [*boxes, *lines]]
    return "\n".join(
        ["```mermaid", "erDiagram", *body, "```", "", f"Without relations: {alone}.\n"]
    )


def _box(table: Contract) -> Iterator[str]:
    yield f"{table.name} {{"
    for column in table.table_columns:
        marks = ["PK"] * (column.name in table.key) + ["FK"] * (column.relation is not None)
        if marks:
            yield f"    {column.type} {column.name} {', '.join(marks)}"
    yield "}"


def _relations(table: Contract) -> Iterator[str]:
    """Many rows to one (one to one where the column is the key); none when it may be empty."""
    for column in table.table_columns:
        if column.relation:
            other = column.relation.split(".")[0]
            one = "||" if column.required or column.name in table.key else "|o"
            many = "|o" if table.key == (column.name,) else "}o"
            yield f"{table.name} {many}--{one} {other} : {column.name}"


def _table(table: Contract) -> str:
    stored = f"partitioned by {', '.join(table.partitions)}" if table.partitions else "one part"
    key = ", ".join(table.key) if table.key else "none"
    lines = [
        f"### {table.name}\n",
        f"{_cell(table.title)}. {_cell(table.purpose)}\n",
        f"- Publisher: {_cell(table.publisher)}; licence: {_cell(table.licence)}",
        f"- Key: {key}. {_cell(table.granularity)}",
        f"- Stored by {table.publication}, {stored}\n",
        "| column | type | unit | required | from | related to | meaning |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [_row(table, c) for c in table.columns]
    return "\n".join(lines) + "\n"


_TREATED = {"drop": "dropped", "pseudonymise": "pseudonymised", "mask": "masked"}


def _row(table: Contract, c: Column) -> str:
    origin = (
        f"`{_cell(c.published)}`" if c.published else f"{c.derive} of {', '.join(c.derive_from)}"
    )
    required = "yes" if c.required or c.name in table.key else ""
    meaning = c.description
    if c.personal:
        treated = _TREATED[c.treatment]
        meaning = f"personal, {treated} at staging. {meaning}"
    cells = [f"`{c.name}`", c.type, c.unit, required, origin, c.relation or "", meaning.strip()]
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    """One line that cannot end a table's cell."""
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()
