"""Commands that tell what data there is and whether its contracts keep the standards."""

from __future__ import annotations

from dataclasses import asdict, astuple
from pathlib import Path
from typing import Annotated, Any

import typer

from yupana.config.lazy import settings
from yupana.console import tables
from yupana.console.options import AsJson, say_json


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(datasets)
    group = typer.Typer(no_args_is_help=True, help="Data standards: names, types, codes, units.")
    for command in (check, model):
        group.command()(command)
    group.command("list")(rules)
    app.add_typer(group, name="standards")


def datasets(
    name: Annotated[str | None, typer.Argument(help="Tell everything of this one.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the data sets by subject area; with a name, its contract and newest version.

    Example: yupana datasets DATASET
    """
    from yupana.data.lake import catalogue

    config = settings()
    if name:
        details = catalogue.details(config, name).to_json()
        say_json(details) if as_json else _details(details)
        return
    entries = [asdict(entry) for entry in catalogue.listing(config)]
    if not entries and not as_json:
        print(f"There is no contract in {config.root / 'expectations'}.")
        return
    say_json(entries) if as_json else _listing(entries)


def _listing(entries: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("data set", "publisher; licence", "version", "rows", "known on", "last ingest")
    area = None
    for e in entries:
        if e["subject_area"] != area:
            area = e["subject_area"]
            table.add_section()
            table.add_row(Text(area or "no subject area", style="bold cyan"))
        status = Text(e["status"], style="red" if e["status"] != "done" else "green")
        if "title" not in e:
            table.add_row(Text(e["name"], style="bold"), "", "", "", "", status)
            continue
        rows = "-" if e["rows"] is None else f"{e['rows']:,}"
        version = "-" if e["version"] is None else str(e["version"])
        table.add_row(
            Text(e["name"], style="bold").append(f"\n{e['title']}", style="not bold dim"),
            Text(e["publisher"]).append(f"\n{e['licence']}", style="dim"),
            version, rows, e["known_on"] or "-", status,
        )  # fmt: skip
    Console().print(table)


def _details(details: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.text import Text

    contract, console = details["contract"], Console()
    console.print(Text(details["title"], style="bold"))
    fields = (
        "subject_area", "publisher", "licence", "purpose", "limitations", "granularity", "location",
        "format", "publication", "schedule", "latency_days", "retention_days", "limit",
    )  # fmt: skip
    tables.pairs(
        {
            "key": ", ".join(contract["key"]),
            "partitions": ", ".join(contract["partitions"]),
            **{field.replace("_", " "): contract[field] for field in fields},
            "contract": f"version {contract['version']}, SHA-256 {contract['sha256'][:12]}",
        }
    )
    rows = []
    for c in contract["columns"]:
        origin = c["published"] or f"{c['derive']}({', '.join(c['derive_from'])})"
        name = Text(c["name"], style="bold")
        name.append(f"\n{c['description']}" * bool(c["description"]), style="not bold dim")
        personal = c["treatment"] if c["personal"] else ""
        required = "yes" if c["required"] else ""
        rows.append((name, c["type"], c["unit"], origin, required, personal, c["relation"] or ""))
    heads = ("column", "type", "unit", "in the file", "required", "personal", "relation")
    tables.show(*heads, rows=rows)
    says = [(rule["rule"], rule["says"]) for rule in contract["rules"]]
    tables.show("rule", "what it asks of a row", rows=says)
    _newest(details)


def _newest(details: dict[str, Any]) -> None:
    newest = details["newest"]
    if newest is None:
        print(f"Nothing is published yet: run `yupana ingest {details['name']}`.")
        return
    rows = ", ".join(f"{kind} {count:,}" for kind, count in newest["rows"].items())
    tables.pairs(
        {
            "published version": f"{newest['version']}, known on {newest['known_on']}",
            "rows": f"{details['rows']:,} in the table; of this file: {rows}",
            "stored": f"{newest['files']} files, {newest['bytes']:,} bytes, in {newest['path']}",
            "schema": ", ".join(f"{n} {t.strip(chr(34))}" for n, t in newest["schema"].items()),
            "file": f"{newest['source']} (SHA-256 {newest['source_sha256']})",
            "audit": newest["report"] or newest["validation"],
        }
    )


def check(
    name: Annotated[str | None, typer.Argument(help="Only this data set.")] = None,
    as_json: AsJson = False,
) -> None:
    """Report names, formats and codes that break the conventions; exit code 1 if any does.

    Example: yupana standards check DATASET
    """
    from yupana.validation import standards

    faults = standards.check(settings().root, name)
    if as_json:
        say_json([asdict(f) for f in faults])
    elif not faults:
        print("Every standard is kept.")
    else:
        heads = ("data set", "column", "standard", "what", "how to mend")
        tables.show(*heads, rows=[astuple(f) for f in faults])
    if faults:
        raise typer.Exit(1)


def rules(as_json: AsJson = False) -> None:
    """List the standards that are checked.

    Example: yupana standards list
    """
    from yupana.validation.conventions import CONVENTIONS

    standards = {name: says for name, (says, _) in CONVENTIONS.items()}
    if as_json:
        say_json(standards)
        return
    for name, says in standards.items():
        print(f"{name:18} {says}")


def model(
    to: Annotated[
        Path | None, typer.Option(help="The page; default: docs/data-model.md of the project.")
    ] = None,
) -> None:
    """Write the data model as a page: tables, keys, relations and a diagram (Mermaid).

    Example: yupana standards model
    """
    from yupana.validation import data_model, standards

    root = settings().root
    path = to or root / "docs" / "data-model.md"
    lake, faults = standards.load(root)
    path.write_text(data_model.page(lake), encoding="utf-8")
    print(f"data model of {len(lake.contracts)} data sets → {path}")
    for fault in faults:
        print(f"left out {fault.dataset}: {fault.what}")
