"""From an answer back to the published bytes that it rests on: a walk over the event log.

`trace_forward` walks the other way, from a file to all that rests on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.core.errors import UsageError
from yupana.governance import prediction_found
from yupana.governance.events import Event
from yupana.governance.trace_index import Index

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

# What a reader asks first about a step; every other fact stays in `to_json`.
_TOLD = ("rows", "known_on", "validation", "source", "publisher", "licence", "agency", "ubigeo")
_NEWEST = 5
_SIBLINGS = 3


@dataclass
class Node:
    """One reference, the step that made it, and what that step read.

    Attributes:
        event: the newest successful event with `ref` among its outputs; None when the log
            names `ref` only as an input.
        children: one node an input of that event.
        again: this reference stands opened elsewhere in the tree, so it has no children here.
    """

    ref: str
    event: Event | None = None
    children: list[Node] = field(default_factory=list)
    again: bool = False


def trace(
    events_path: Path, ref: str, find: Callable[[str], dict[str, Any] | None] | None = None
) -> Node:
    """Everything that `ref` rests on, down to `raw:<sha256>`.

    Args:
        ref: any reference (`model:outbreak@3`, `delta:published/x@4`, …); a text without a
            colon is taken as the id of a prediction.
        find: an answer of the prediction log, or a row of a forecast, by its id (as
            `prediction_table.found` tells it), asked for what the event log does not name: a
            service leaves no event an answer.

    Raises:
        UsageError: neither log names the reference.
        TerminalError: the event log is damaged.
    """
    return walked(Index(events_path), ref, find)


def walked(
    index: Index, ref: str, find: Callable[[str], dict[str, Any] | None] | None = None
) -> Node:
    """As `trace`, over a log that was read already."""
    wanted = ref if ":" in ref else f"prediction:{ref}"
    if not index.named(wanted):
        row = find(wanted.removeprefix("prediction:")) if find else None
        if row:
            return _open(wanted, index, set(), _answered(row, index))
        newest = index.newest(_NEWEST)
        raise UsageError(
            f"No step in the event log made or read '{wanted}'.",
            where=str(index.path),
            fix="An answer's id is the `prediction_id` in the reply of the endpoint. "
            + (f"Newest references: {', '.join(newest)}." if newest else "The log is empty."),
        )
    return _open(wanted, index, set())


def _answered(row: dict[str, Any], index: Index) -> Event:
    """An event for an answer of the prediction log, or for a row of a forecast."""
    told = ("kind", "ubigeo", "area", "origin", "as_of", "data_as_of", "horizon", "agency")
    facts = {name: str(row[name]) for name in (*told, "request_id") if row.get(name) is not None}
    forecast = row["kind"] == "forecast"
    return {
        "id": row["prediction_id"],
        "time": row["time"].isoformat(timespec="milliseconds") if row["time"] else "",
        "step": "forecast" if forecast else "answer",
        "subject": row["use_case"],
        "status": "done",
        "inputs": made_of(row, index),
        "outputs": [f"prediction:{row['prediction_id']}"],
        "facts": facts,
    }


def made_of(row: dict[str, Any], index: Index) -> list[str]:
    """References that a logged forecast rests on.

    One that tells a recorded forecast names the version of the table that was looked at; what
    it rests on is the version that put those rows there.
    """
    found = []
    for ref in prediction_found.refs(row):
        if ref.startswith("delta:forecasts/"):
            wrote = wrote_forecast(row, index)
            found.append(wrote if wrote else ref)
        else:
            found.append(ref)
    return found


def wrote_forecast(row: dict[str, Any], index: Index) -> str | None:
    """The version of a forecast table that wrote the rows of this model and origin, if known.

    Args:
        row: `features_ref` (the version that was looked at), `use_case`, `model_version` and
            `data_as_of` (the origin).
    """
    table, _, looked_at = row["features_ref"].rpartition("@")
    model = f"model:{row['use_case']}@{row['model_version']}"
    best = -1
    for event in index.steps("forecast"):
        same = event["facts"].get("data_as_of") == str(row["data_as_of"])
        if not same or model not in event["inputs"]:
            continue
        for output in event["outputs"]:
            name, _, version = output.rpartition("@")
            if name == table and best < int(version) <= int(looked_at):
                best = int(version)
    return f"{table}@{best}" if best >= 0 else None


def _open(ref: str, index: Index, opened: set[str], event: Event | None = None) -> Node:
    event = event or index.made_by(ref)
    if ref in opened:
        return Node(ref, event, again=True)
    opened.add(ref)
    inputs = event["inputs"] if event else []
    # A step that lists its own output as input would only repeat itself.
    return Node(ref, event, [_open(i, index, opened) for i in inputs if i != ref])


def sources(node: Node) -> list[str]:
    """The references of the published bytes below a node, each once, in reading order."""
    here = [node.ref] if node.ref.startswith("raw:") else []
    below = [ref for child in node.children for ref in sources(child)]
    return list(dict.fromkeys(here + below))


def nodes(node: Node) -> list[Node]:
    """A node and all below it, each reference once, in reading order."""
    here = [] if node.again else [node]
    return here + [below for child in node.children for below in nodes(child)]


def to_json(node: Node) -> dict[str, Any]:
    """The tree as plain values: ref, step, time, facts, inputs (the same again, nested)."""
    event = node.event or {}
    return {
        "ref": node.ref,
        "step": event.get("step"),
        "time": event.get("time"),
        "facts": event.get("facts", {}),
        "again": node.again,
        "inputs": [to_json(child) for child in node.children],
    }


def render(node: Node) -> Tree:
    """The tree for a terminal: reference, step, date, and the facts a reader asks first.

    Of many inputs that one step made (the answers under a report) the first three are shown.
    """
    from rich.tree import Tree

    tree = Tree(_label(node))
    shown: Counter[str] = Counter()
    for child in node.children:
        kind = sibling(child)
        shown[kind] += 1
        if shown[kind] <= _SIBLINGS:
            tree.add(render(child))
    if hidden := sum(max(0, n - _SIBLINGS) for n in shown.values()):
        tree.add(f"and {hidden:,} more from the same steps")
    return tree


def sibling(node: Node) -> str:
    """What many inputs of one step have in common: the step that made them, or their table."""
    if node.ref.startswith("delta:"):
        return node.ref.rpartition("@")[0]
    return str(node.event["id"]) if node.event else node.ref


def _label(node: Node) -> Text:
    from rich.text import Text

    # `Text`, not markup: a reference or a file name may hold brackets.
    label = Text(node.ref, style="bold")
    if node.again:
        return label.append(" …", style="not bold dim")
    if node.event is None:
        passing = node.ref.startswith("delta:staging/")
        said = "written and audited inside that step" if passing else "no step recorded"
        return label.append(f"  {said}", style="not bold dim")
    day = str(node.event["time"])[:16].replace("T", " ")
    label.append(f"  {node.event['step']}, {day} UTC", style="not bold cyan")
    facts = node.event["facts"]
    # A landed file keeps where it came from in its own record.
    facts = {**facts, "source": facts["raw"]["source"]} if "raw" in facts else facts
    for name in _TOLD:
        if name in facts:
            label.append(f"\n{name}: {_plain(facts[name])}", style="not bold")
    return label


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(part)}" for name, part in value.items())
    return f"{value:,}" if isinstance(value, int) else str(value)
