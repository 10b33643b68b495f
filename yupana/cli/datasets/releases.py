"""Commands on the releases of a data set: diff, retract, restore."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yupana.cli.datasets.lake import Name
from yupana.config.lazy import settings
from yupana.console import tables
from yupana.console.options import AsJson, say_json
from yupana.core.errors import TerminalError, UsageError
from yupana.core.progress import Lines

if TYPE_CHECKING:
    from yupana.core.types import StepResult
    from yupana.validation.changes import Change

Version = Annotated[str, typer.Argument(help="A data set and a version: DATASET@3.")]
_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 60
_MOST_ROWS = 10
_MOST_RULES = 8


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (diff, retract, restore):
        app.command()(command)


def diff(
    name: Name,
    one: Annotated[int | None, typer.Argument(help="A version; default: the one before.")] = None,
    other: Annotated[int | None, typer.Argument(help="A version; default: the newest.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare two published versions: rows, keys, periods, groups, codes, columns, totals.

    Counts under 5, what they follow from, and personal columns are not shown.

    Example: yupana diff DATASET

    Example: yupana diff DATASET 3 7 --json
    """
    from yupana.data.contracts import contract
    from yupana.data.lake import history
    from yupana.validation import changes

    config = settings()
    about, table = contract.load(config.root, name), config.table("published", name)
    newest = history.at_version(table, other)
    earlier = [p for p in history.published_versions(table)
               if (p.known_on, p.version) < (newest.known_on, newest.version)]  # fmt: skip
    if one is None and not earlier:
        raise TerminalError(
            f"Version {newest.version} of '{name}' has none before it.",
            where=f"published/{name}",
            fix=f"Ingest a second release; `yupana history {name}` lists what there is.",
        )
    before = earlier[-1].version if one is None else one
    change = changes.between(about, table, before, newest.version)
    say_json(asdict(change)) if as_json else _print_change(name, change)


def retract(
    version: Version,
    reason: Annotated[str, typer.Option(help="Why it is wrong; kept in the log and the ledger.")],
    as_json: AsJson = False,
) -> None:
    """Take a published version back: it answers for no day any more, and the one before it does.

    Its rows stay in the log. Names the models, forecasts and answers that rest on it.

    Example: yupana retract DATASET@3 --reason "the agency withdrew the file"
    """
    from yupana.data.publication import releases
    from yupana.trace.recall_summary import summarise

    config = settings()
    name, number = _parts(version)
    result = releases.retract(config, name, number, reason, Lines())
    rests = summarise(config, f"{name}@{number}", None).to_json()
    if as_json:
        say_json({**result.metrics, **result.model_dump(), "rests_on_it": rests})
        return
    stands = result.metrics["stands"]
    state = "was retracted before" if result.status == "unchanged" else "is retracted"
    instead = "nothing answers now" if stands is None else f"version {stands} is current"
    print(f"{name}: version {result.metrics['retracts']} {state}; {instead}")
    print(f"reason: {result.metrics['reason']}")
    _rests(version, rests)


def restore(
    version: Version,
    reason: Annotated[str, typer.Option(help="Why; needed where it was retracted.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make the rows of an earlier version current again, as a new publication known from today.

    Example: yupana restore DATASET@2 --reason "version 3 holds the wrong year"
    """
    from yupana.console.options import emit
    from yupana.data.publication import releases

    name, number = _parts(version)
    today = datetime.now(UTC).date()
    emit(releases.restore(settings(), name, number, reason, Lines(), today), as_json)


def closing(result: StepResult) -> None:
    """The last lines of an ingest: what was set aside and why, and what changed."""
    metrics = result.metrics
    aside = metrics.get("set_aside") or {"rows": 0}
    if aside["rows"]:
        counts = [f"{rule} {count:,}" for rule, count in aside["rules"].items()]
        more = len(counts) - _MOST_RULES
        why = ", ".join(counts[:_MOST_RULES]) + (f" and {more} more rules" if more > 0 else "")
        rows = f"{aside['rows']:,} {'row' if aside['rows'] == 1 else 'rows'}"
        print(f"  set aside: {rows} ({why}); see `yupana quarantine {result.subject}`")
    elif "set_aside" in metrics:
        print("  set aside: no row")
    for line in metrics.get("moved", []):
        print(f"  {line}")
    if result.status == "done" and (change := metrics.get("change")):
        print(f"  against version {change['before']}:")
        for line in change["lines"]:
            print(f"    {line}")
        for line in metrics["warnings"]:
            print(f"  warning: {line}")


def _parts(version: str) -> tuple[str, int]:
    name, _, number = version.rpartition("@")
    if not name or not number.isdigit():
        raise UsageError(
            f"'{version}' names no version.",
            where="yupana retract, yupana restore",
            fix="Write it as DATASET@3; `yupana history` lists the versions.",
        )
    return name, int(number)


def _print_change(name: str, change: Change) -> None:
    from yupana.validation.changes import text as words

    print(f"{name}: version {change.before} → {change.after}")
    for line in words.lines(change):
        print(f"  {line}")
    heads = ["", "rows", *(f"{m.what} of {m.name} ({m.unit})" for m in change.measures)]
    for title, cells in (("/".join(change.axis), change.periods), *change.groups.items()):
        if cells_to_show := words.most_moved(cells, _MOST_ROWS):
            rows = [
                (cell.value, *(words.pair(p) for p in (cell.rows, *cell.totals)))
                for cell in cells_to_show
            ]
            tables.show(*heads, rows=rows, title=f"by {title}: what moved most")
    if change.periods:
        first, last = change.periods[0].value, change.periods[-1].value
        print(f"rows by {'/'.join(change.axis)}, {first} to {last} (blank: none, or not shown)")
        sides = ([c.rows.before for c in change.periods], [c.rows.after for c in change.periods])
        most = max(_bars(sides[0]) + _bars(sides[1]))
        for word, side in zip(("before", "after"), sides, strict=True):
            print(f"  {word:6} {''.join(_bar(n, most) for n in _bars(side))}")


def _bars(counts: list[Any]) -> list[int]:
    """Counts in at most `_WIDTH` groups of as many periods each."""
    each = -(-len(counts) // _WIDTH)
    return [sum(c or 0 for c in counts[i : i + each]) for i in range(0, len(counts), each)]


def _bar(count: int, most: int) -> str:
    return " " if not count or not most else _BARS[round((len(_BARS) - 1) * count / most)]


def _rests(version: str, rests: dict[str, Any]) -> None:
    print("what rests on it (make these again):")
    for kind in ("features", "models", "deployments", "forecasts", "reports", "shared"):
        for ref in rests[kind]:
            print(f"  {ref}{'   serves now' if ref in rests['serving_now'] else ''}")
    print(f"  predictions: {rests['predictions']:,}")
    for row in rests["by_agency"]:
        print(f"    {row['agency'] or '(no agency)'}, {row['kind']}: {row['predictions']:,}")
    print(f"each of them: yupana trace {version} --forward --out touched.csv")
