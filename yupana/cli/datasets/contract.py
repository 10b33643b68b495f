"""Commands on one contract: a first draft from a file, and what it will enforce."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yupana.config.lazy import settings
from yupana.console import tables
from yupana.console.options import AsJson, say_json
from yupana.core.errors import UsageError
from yupana.core.progress import Lines

if TYPE_CHECKING:
    from yupana.core.errors import TerminalError
    from yupana.data.draft import Draft
    from yupana.data.draft.columns.guess import Guess
    from yupana.data.draft.date_sample import Reading


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    group = typer.Typer(no_args_is_help=True, help="Draft a contract from a file, or check one.")
    group.command()(draft)
    group.command()(check)
    app.add_typer(group, name="contract")


def draft(
    source: Annotated[
        str, typer.Argument(help="A path, a URL, or ckan+https://… / dkan+https://….")
    ],
    name: Annotated[
        str | None, typer.Option(help="The data set's name; default: made of the file's.")
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(help="Where to write; - prints it. Default: expectations/NAME/contract.yaml."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Propose a contract for a file by looking at all of its rows; every guess says why.

    It reads formats, encodings and dialects, types, units, marks of missing values, dates, codes,
    places, a key and what seems personal. `# ask:` in it is for a person.

    Example: yupana contract draft FILE.csv --name DATASET
    """
    from yupana.data import draft as drafts
    from yupana.data.contracts import contract

    config = settings()
    local = "://" not in source and not source.startswith("codelist:")
    if local:
        source = str(Path(source).absolute())
    if name and out is None:
        _refuse_to_overwrite(contract.path_of(config.root, name))
    proposal = drafts.draft(config, source, name, Lines(), today=datetime.now(UTC).date())
    if out == "-":
        print(proposal.text, end="")
        return
    path = Path(out) if out else contract.path_of(config.root, proposal.name)
    _refuse_to_overwrite(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(proposal.text, encoding="utf-8")
    if as_json:
        document = {"name": proposal.name, "path": str(path), "rows": proposal.rows}
        document |= {"key": proposal.key, "questions": proposal.questions}
        say_json({**document, "columns": [_row(c) for c in proposal.columns]})
        return
    _preview(proposal)
    print(f"draft → {path}\nnext: replace every TODO in it, then")
    print(f"  yupana contract check {proposal.name}\n  yupana standards check {proposal.name}")
    print(f"  yupana ingest {proposal.name}" + (f" --source {source}" if local else ""))


def _refuse_to_overwrite(path: Path) -> None:
    if path.exists():
        raise UsageError(
            "There is a contract already.", where=str(path),
            fix="Give another --name, print the draft by --out -, or remove that file first.",
        )  # fmt: skip


def _row(column: Guess) -> dict[str, Any]:
    unit = column.unit.unit if column.unit and not column.personal else ""
    return {
        "published": column.published,
        "name": column.name,
        "type": column.kind.type,
        "unit": unit,
        "missing_share": round(column.missing_share, 4),
        "shape": column.shape,
        "evidence": list(column.evidence),
        "questions": list(column.questions),
        "key": column.key,
        "personal": column.personal is not None,
    }


def _preview(proposal: Draft) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    d, console = proposal.dialect, Console()
    names = f"names in line {d.header_row}" if d.header_row else "no line of names"
    form = f", {d.encoding}, '{d.delimiter}', {names}"
    console.print(Text(f"{proposal.rows:,} rows: {d.format}{form * (d.format == 'csv')}"))
    table = Table("name; in the file", "type, unit", "missing", "looks like")
    table.add_column("why", min_width=36)
    for row in map(_row, proposal.columns):
        marks = " (personal)" * row["personal"] + f" (key {row['key']})" * bool(row["key"])
        why = Text("; ".join(row["evidence"]))
        for question in row["questions"]:
            why.append(f"\nask: {question}", style="yellow")
        table.add_row(
            Text(row["name"] + marks, style="bold").append(f"\n{row['published']}", "not bold dim"),
            Text(" ".join(filter(None, (row["type"], row["unit"])))),
            f"{row['missing_share']:.1%}",
            Text(row["shape"]),
            why,
        )
    console.print(table)
    for question in proposal.questions:
        console.print(Text(f"ask: {question}", style="yellow"))


def check(
    name: Annotated[str, typer.Argument(help="A folder of expectations/; see `yupana datasets`.")],
    as_json: AsJson = False,
) -> None:
    """Tell before an ingest what a contract will enforce, and all of its faults if it has any.

    Each rule with the expectation of Great Expectations that audits it and the share of rows that
    may break it; what is only told; and dates of the file at hand, read by the contract's patterns.

    Example: yupana contract check DATASET
    """
    from yupana.data.contracts.checks import faults as contract_faults

    config = settings()
    if faults := contract_faults.every(config.root, name):
        _faults(faults, as_json)
        raise typer.Exit(faults[0].exit_code)
    from yupana.data.contracts import contract
    from yupana.data.contracts import file as contract_file
    from yupana.data.draft import date_sample
    from yupana.validation import enforcement

    about = contract.load(config.root, name)
    path = contract.path_of(config.root, name)
    file = contract_file.content(path, str(path.relative_to(config.root)))
    Lines().say("make the suite of Great Expectations")
    rules = enforcement.enforcements(about, datetime.now(UTC).date())
    remarks = enforcement.remarks(about, file)
    if as_json:
        dates = date_sample.of_contract(config, about)
        lists: dict[str, list[Any]] = {"rules": rules, "remarks": remarks, "dates": dates or []}
        say_json({"faults": [], **{k: [asdict(x) for x in v] for k, v in lists.items()}})
        return
    _table(f"enforced by {path.relative_to(config.root)}", rules,
           {"limit": lambda share: f"{100 * share:g} %"})  # fmt: skip
    _table("told, not enforced", remarks, {})
    if dates := date_sample.of_contract(config, about):
        _dates(dates)


def _faults(faults: list[TerminalError], as_json: bool) -> None:
    if as_json:
        say_json({"faults": [{"what": f.what, "where": f.where, "fix": f.fix} for f in faults]})
        return
    for fault in faults:
        print(fault)
    print(f"{len(faults)} faults: nothing can be ingested by it.")


def _table(title: str, rows: list[Any], formats: dict[str, Any]) -> None:
    if not rows:
        return
    heads = [f.name for f in fields(rows[0])]
    cells = [[str(formats.get(h, str)(getattr(row, h))) for h in heads] for row in rows]
    tables.show(*heads, rows=cells, title=title, title_justify="left")


def _dates(dates: list[Reading]) -> None:
    rows = [
        (r.column, r.pattern or "(none: quarantine)", f"{r.rows:,}", r.text, r.value or "-")
        for r in dates
    ]
    heads, title = ("column", "pattern", "rows", "text", "is read as"), "dates of the file at hand"
    tables.show(*heads, rows=rows, title=title, title_justify="left")
