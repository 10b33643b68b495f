"""`yupana trace`: the road of an answer back to its source file, and all that a file touched."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yupana.config.lazy import settings
from yupana.console.options import AsJson, say_json
from yupana.core.errors import UsageError

if TYPE_CHECKING:
    from yupana.config.settings import Settings
    from yupana.ledger.fault import Fault
    from yupana.trace.backward import Node
    from yupana.trace.provenance import Station
    from yupana.trace.recall_summary import RecallSummary


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(trace)


def trace(
    reference: Annotated[
        str,
        typer.Argument(
            help="A prediction_id, a data set (name or name@3), a reference; with --forward also "
            "a file."
        ),
    ],
    forward: Annotated[
        bool, typer.Option("--forward", help="What rests on it: for a recall.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the road as a page with its graph.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="With --forward: every prediction touched, a row."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the road from an answer, or a published version, back to its source file: model,
    pipeline run, code and lock, features, data versions, validation, publisher, licence.

    With --forward: every model, forecast and prediction that rests on a file.

    Example: yupana trace DATASET@1

    Example: yupana trace cases.csv --forward --out touched.csv
    """
    if (out and not forward) or (html and forward):
        raise UsageError(
            "--out goes with --forward, and --html without it.",
            where="yupana trace",
            fix="yupana trace FILE --forward --out touched.csv; yupana trace ID --html page.html",
        )
    config = settings()
    if forward:
        _forward(config, reference, out, as_json)
    else:
        _back(config, reference, html, as_json)


def _back(settings: Settings, reference: str, html: Path | None, as_json: bool) -> None:
    from functools import partial

    from yupana.predictions import lake_table
    from yupana.trace import backward, provenance
    from yupana.trace.index import Index

    index = Index(settings.events)
    about: dict[str, Any] = {}
    if dataset := provenance.version_name(settings, reference):
        about = asdict(provenance.of_version(settings, *dataset))
        reference = about["ref"]
    if about and not index.has(reference):
        # A table that came from another machine: the commit alone tells its origin.
        node, in_log = backward.Node(reference), False
    else:
        find = partial(lake_table.by_id, settings, use_case=None)
        node, in_log = backward.trace_in(index, reference, find), True
    road = provenance.road(settings, node, index)
    faults = provenance.faults(settings, road)
    if html:
        _page(html, node, road, faults)
    if as_json:
        stations = [{"kind": s.kind, "ref": s.ref, "facts": s.facts} for s in road]
        tree = backward.to_json(node)
        document = {**about, "trace": tree if in_log else None} if about else tree
        say_json({**document, "road": stations, "faults": [asdict(fault) for fault in faults]})
    else:
        _print(node, road, in_log)
        if html:
            print(f"page: {html}")
        for fault in faults:
            print(f"content: {fault.place} {fault.message}")
    if any(fault.what != "unvouched" for fault in faults):
        raise typer.Exit(1)


def _print(node: Node, road: list[Station], in_log: bool) -> None:
    from yupana.trace import backward

    _print_road(road)
    if in_log:
        from rich.console import Console

        Console().print(backward.render(node))
    files = {s.ref for s in road if s.kind == "source"}
    for source in sorted(files | set(backward.sources(node))):
        print(f"source file SHA-256: {source.removeprefix('raw:')}")


def _print_road(road: list[Station]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from yupana.trace.provenance import KINDS

    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column()
    # A hash that was cut short could not be searched for.
    table.add_column(overflow="fold")
    for station in road:
        facts = "\n".join(f"{name}: {value}" for name, value in station.facts.items())
        kind = Text(KINDS[station.kind][1], style="cyan")
        title = Text(station.ref, style="bold")
        table.add_row(kind, title.append(f"\n{facts}", "not bold"))
    Console().print(table)


def _page(path: Path, node: Node, road: list[Station], faults: list[Fault]) -> None:
    from yupana.core import page
    from yupana.trace import graph
    from yupana.trace.provenance import KINDS
    from yupana.trace.provenance_text import page_facts

    page.write(
        path, "trace/trace.html", ref=node.ref, road=road, kinds=KINDS, named=page_facts,
        picture=graph.svg(node), faults=faults,
    )  # fmt: skip


def _forward(settings: Settings, what: str, out: Path | None, as_json: bool) -> None:
    from yupana.trace.recall_summary import summarise

    summary = summarise(settings, what, out)
    if as_json:
        say_json(summary.to_json())
    else:
        _print_recall(summary)


def _print_recall(summary: RecallSummary) -> None:
    print(f"recalled: {summary.recall.ref}")
    for kind, refs in summary.recall.kinds().items():
        print(f"{kind}: {len(refs)}")
        for ref in refs:
            print(f"  {ref}{'   serves now' if ref in summary.serving_now else ''}")
    print(f"rows in the forecast tables: {sum(f.rows for f in summary.forecast_rows):,}")
    for rows in summary.forecast_rows:
        made_by = f"origin {rows.data_as_of}, version {rows.model_version}"
        print(f"  {rows.table}, {made_by}: {rows.rows:,}")
    print(f"predictions: {summary.predictions:,}")
    for count in summary.by_agency:
        print(f"  {count.agency or '(no agency)'}, {count.kind}: {count.predictions:,}")
    if summary.out:
        print(f"each of them: {summary.out}")
