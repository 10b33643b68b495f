"""`yupana trace`: the road of an answer back to its source file, and all that a file touched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yupana.cli.common import AsJson

if TYPE_CHECKING:
    from yupana.config.settings import Settings
    from yupana.data.provenance import Station
    from yupana.data.recall import Recall
    from yupana.governance.trace import Node


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

    Example: yupana trace dengue_linelist@1

    Example: yupana trace cases.csv --forward --out touched.csv
    """
    from yupana.config.settings import settings
    from yupana.core.errors import UsageError

    if (out and not forward) or (html and forward):
        raise UsageError(
            "--out goes with --forward, and --html without it.",
            where="yupana trace",
            fix="yupana trace FILE --forward --out touched.csv; yupana trace ID --html page.html",
        )
    chosen = settings()
    if forward:
        _forward(chosen, reference, out, as_json)
    else:
        _back(chosen, reference, html, as_json)


def _back(chosen: Settings, reference: str, html: Path | None, as_json: bool) -> None:
    from functools import partial

    from yupana.data import prediction_table, provenance
    from yupana.governance import trace as tracing
    from yupana.governance.trace_index import Index

    index = Index(chosen.events)
    about: dict[str, Any] = {}
    if dataset := provenance.named(chosen, reference):
        about = provenance.of_version(chosen, *dataset)
        reference = about["ref"]
    if about and not index.named(reference):
        # A table that came from another machine: the commit alone tells its origin.
        node, known = tracing.Node(reference), False
    else:
        find = partial(prediction_table.found, chosen)
        node, known = tracing.walked(index, reference, find), True
    road = provenance.road(chosen, node, index)
    if html:
        _page(html, node, road)
    if as_json:
        stations = [{"kind": s.kind, "ref": s.ref, "facts": s.facts} for s in road]
        tree = tracing.to_json(node)
        told = {**about, "trace": tree if known else None} if about else tree
        print(json.dumps({**told, "road": stations}, ensure_ascii=False, default=str))
        return
    _shown(road)
    if known:
        from rich.console import Console

        Console().print(tracing.render(node))
    files = {s.ref for s in road if s.kind == "source"}
    for source in sorted(files | set(tracing.sources(node))):
        print(f"source file SHA-256: {source.removeprefix('raw:')}")
    if html:
        print(f"page: {html}")


def _shown(road: list[Station]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from yupana.data.provenance import KINDS

    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column()
    # A hash that was cut short could not be searched for.
    table.add_column(overflow="fold")
    for station in road:
        facts = "\n".join(f"{name}: {value}" for name, value in station.facts.items())
        kind = Text(KINDS[station.kind][1], style="cyan")
        named = Text(station.ref, style="bold")
        table.add_row(kind, named.append(f"\n{facts}", "not bold"))
    Console().print(table)


def _page(path: Path, node: Node, road: list[Station]) -> None:
    from yupana.core import page
    from yupana.data.provenance import KINDS
    from yupana.data.provenance_words import named
    from yupana.governance import trace_graph

    page.write(
        path, "governance/trace.html", ref=node.ref, road=road, kinds=KINDS, named=named,
        picture=trace_graph.svg(node),
    )  # fmt: skip


def _forward(chosen: Settings, what: str, out: Path | None, as_json: bool) -> None:
    from yupana.data.recall_summary import resting

    told, found = resting(chosen, what, out)
    if as_json:
        print(json.dumps(told, ensure_ascii=False))
    else:
        _touched(told, found)


def _touched(told: dict[str, Any], found: Recall) -> None:
    print(f"recalled: {told['ref']}")
    for kind, refs in found.kinds().items():
        print(f"{kind}: {len(refs)}")
        for ref in refs:
            print(f"  {ref}{'   serves now' if ref in told['serving_now'] else ''}")
    print(f"rows in the forecast tables: {sum(f['rows'] for f in told['forecast_rows']):,}")
    for f in told["forecast_rows"]:
        made_by = f"origin {f['data_as_of']}, version {f['model_version']}"
        print(f"  {f['table']}, {made_by}: {f['rows']:,}")
    print(f"predictions: {told['predictions']:,}")
    for row in told["by_agency"]:
        print(f"  {row['agency'] or '(no agency)'}, {row['kind']}: {row['predictions']:,}")
    if told["out"]:
        print(f"each of them: {told['out']}")
