"""Commands that tell where the lake's rows come from: history, quarantine."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yupana.config.lazy import settings
from yupana.console import tables
from yupana.console.options import AsJson, as_of, emit, say, say_json
from yupana.core.errors import UsageError
from yupana.core.progress import Lines

if TYPE_CHECKING:
    from yupana.data.lake.history import Publication
    from yupana.data.publication.quarantine import Refusal

Name = Annotated[str, typer.Argument(help="A folder of expectations/; see `yupana datasets`.")]
AsOf = Annotated[datetime | None, as_of("Answer as on this date.")]
_STATES = {
    "current": "current: it is published",
    "superseded": "superseded: a later release replaced it",
    "refused": "refused whole: nothing of it is published",
}


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (history, quarantine):
        app.command()(command)


def history(name: Name, as_of: AsOf = None, as_json: AsJson = False) -> None:
    """List the published versions of a data set, and which one was known on a date.

    Example: yupana history DATASET --as-of 2021-12-31
    """
    from yupana.data.contracts import contract
    from yupana.data.lake import history as versions

    config = settings()
    contract.load(config.root, name)
    table = config.table("published", name)
    publications, standing = versions.publications(table), versions.published_versions(table)
    current = standing[-1] if standing else None
    if as_of or not publications:
        current = versions.known_as_of(table, as_of.date() if as_of else date.today())
    ref = f"delta:published/{name}@{current.version}" if current else None
    if as_json:
        document = {"name": name, "versions": [asdict(p) for p in publications]}
        say_json({**document, "known": ref, "as_of": as_of.date() if as_of else None})
        return
    _versions_table(name, publications)
    print(f"known on {as_of.date()}: {ref}" if as_of else f"current: {ref or 'none'}")


def _versions_table(name: str, publications: list[Publication]) -> None:
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    table = Table(
        Column("version", no_wrap=True),
        Column("known on", no_wrap=True),
        "rows",
        Column("file; contract; audit; time of commit", overflow="fold"),
        title=name,
    )
    for p in publications:
        rows = "\n".join(f"{count:,} {kind}" for kind, count in p.rows.items())
        origin = f"{p.source or '?'}\nSHA-256 {p.source_sha256[:12]}; contract {p.contract_version}"
        origin += f"; audit {p.validation or '-'}\n{p.time:%Y-%m-%d %H:%M} UTC"
        if p.restores is not None:
            origin += f"\nrows of version {p.restores} again"
        if p.retracted:
            origin += f"\nretracted: {p.retracted}"
        table.add_row(str(p.version), str(p.known_on), rows, Text(origin))
    Console().print(table)


def quarantine(
    name: Name,
    rule: Annotated[str | None, typer.Option(help="Only this rule, e.g. week.range.")] = None,
    limit: Annotated[int, typer.Option(help="How many lines to name.", min=0)] = 20,
    every: Annotated[
        bool, typer.Option("--all", help="Also lines of files that a later release replaced.")
    ] = False,
    export: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the rows as they came, to be mended (CSV)."),
    ] = None,
    fix: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Publish the mended rows of such a file."),
    ] = None,
    accept_change: Annotated[
        str | None, typer.Option(metavar="WHY", help="Publish a correction that was retracted.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say which lines of an agency's files were refused, why, and how to mend them.

    Shows shapes (99, aaa), never values, and what became of the file: it is published (current),
    was replaced by a later release (superseded), or was refused whole (refused). With --json:
    by_rule and lines, up to --limit.

    --export writes real values, for its owner alone, and the ledger notes it.

    Example: yupana quarantine DATASET --rule week.range --limit 50

    Example: yupana quarantine DATASET --export rows.csv; mend them;
    yupana quarantine DATASET --fix rows.csv
    """
    if export or fix or accept_change:
        _correction(name, rule, export, fix, accept_change, as_json)
        return
    from collections import Counter

    from yupana.data.contracts import contract
    from yupana.data.publication import quarantine as refused
    from yupana.identity import activity

    config = settings()
    refusals = refused.refusals(config, contract.load(config.root, name), rule)
    hidden = 0 if every else sum(r.state == "superseded" for r in refusals)
    refusals = [r for r in refusals if every or r.state != "superseded"]
    activity.note_access(config, "quarantine", f"quarantine/{name}", rows=len(refusals), rule=rule)
    kinds = Counter((r.rule, r.column, r.value_class, r.fix) for r in refusals)
    if as_json:
        heads = ("rule", "column", "value_class", "fix", "rows")
        by_rule = [dict(zip(heads, (*kind, n), strict=True)) for kind, n in kinds.most_common()]
        rows = len({(r.source_sha256, r.line) for r in refusals})
        lines = [asdict(r) for r in refusals[:limit]]
        say_json({"name": name, "rows": rows, "by_rule": by_rule, "lines": lines})
        return
    if not refusals:
        print(f"{name}: no row is in quarantine{' for ' + rule if rule else ''}.")
        _hidden(hidden)
        return
    _refusals(kinds, refusals[:limit])
    if len(refusals) > limit:
        print(f"and {len(refusals) - limit:,} more: use --limit, --rule or --json")
    _hidden(hidden)


def _hidden(count: int) -> None:
    if count:
        print(f"{count:,} of files that a later release replaced are left out: use --all")


def _correction(
    name: str,
    rule: str | None,
    to: Path | None,
    file: Path | None,
    accept: str | None,
    as_json: bool,
) -> None:
    from yupana.orchestration import correct

    if to and file:
        raise UsageError(
            "--export writes rows, and --fix takes them back.",
            where="yupana quarantine",
            fix="Use one of them.",
        )
    if accept and not file:
        raise UsageError(
            "--accept-change is for a correction.",
            where="yupana quarantine",
            fix="Name its file by --fix.",
        )
    if file:
        emit(correct.correct(settings(), name, file.resolve(), Lines(), accept=accept), as_json)
    elif to:
        rows = correct.export(settings(), name, to.resolve(), rule)
        facts = {"name": name, "rows": rows, "path": str(to)}
        says = (
            f"{rows:,} rows → {to}: mend them, then `yupana quarantine {name} --fix {to}`\n"
            "Into a spreadsheet, import it with all columns as text: a cell that begins with "
            "= + - @ stands as it came, and would be run as a formula."
        )
        say(facts, says, as_json)


def _refusals(kinds: Any, lines: list[Refusal]) -> None:
    rows = [
        (rule, column, shape or "(empty)", f"{count:,}", fix)
        for (rule, column, shape, fix), count in kinds.most_common()
    ]
    tables.show("rule", "column in the file", "value class", "rows", "how to mend", rows=rows)
    source = None
    for r in lines:
        if r.source_sha256 != source:
            source = r.source_sha256
            print(f"{r.source} (SHA-256 {source[:12]}…), {_STATES[r.state]}")
        shape = f"value class {r.value_class}" if r.value_class else "no value"
        column = f"column{'s' if ', ' in r.column else ''} {r.column}"
        print(f"  {r.place or f'line {r.line}'}, {column}, rule {r.rule}, {shape}")
