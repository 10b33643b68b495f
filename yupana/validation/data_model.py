"""The data model as a page: every table with its columns, keys and relations, from the contracts.

The diagram is Mermaid's erDiagram, which GitHub and GitLab draw by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from yupana.data.columns import Column
from yupana.data.contract import Contract
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
    lines = ["```mermaid", "erDiagram"]
    for table in tables:
        lines.append(f"    {table.name} {{")
        lines += [f"        {_attribute(table, c)}" for c in table.kept]
        lines.append("    }")
    for table in tables:
        lines += [f"    {line}" for line in _relations(table)]
    return "\n".join([*lines, "```", ""])


def _attribute(table: Contract, column: Column) -> str:
    marks = ["PK"] * (column.name in table.key) + ["FK"] * (column.relation is not None)
    # Mermaid ends a comment at a double quote.
    unit = f' "{column.unit}"'.replace('""', "") if column.unit else ""
    return f"{column.type} {column.name}{' ' + ', '.join(marks) if marks else ''}{unit}"


def _relations(table: Contract) -> Iterator[str]:
    """Many rows to one; a column that may be empty relates to none or one."""
    for column in table.kept:
        if column.relation:
            other = column.relation.split(".")[0]
            one = "||" if column.required or column.name in table.key else "|o"
            yield f"{table.name} }}o--{one} {other} : {column.name}"


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


def _row(table: Contract, c: Column) -> str:
    origin = (
        f"`{_cell(c.published)}`" if c.published else f"{c.derive} of {', '.join(c.derive_from)}"
    )
    required = "yes" if c.required or c.name in table.key else ""
    meaning = c.description
    if c.personal:
        treated = {"drop": "dropped", "pseudonymise": "pseudonymised"}[c.treatment]
        meaning = f"personal, {treated} at staging. {meaning}"
    cells = [f"`{c.name}`", c.type, c.unit, required, origin, c.relation or "", meaning.strip()]
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    """One line that cannot end a table's cell."""
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()
