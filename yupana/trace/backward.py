"""From an answer back to the published bytes that it rests on: a walk over the event log.

`trace_forward` walks the other way, from a file to all that rests on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from yupana.core.errors import UsageError
from yupana.lineage.events import WHERE, Event
from yupana.predictions.entry import Basis, LogEntry
from yupana.trace import kind as kinds
from yupana.trace.index import Index

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

# What a reader asks first about a step; every other fact stays in `to_json`.
_FACTS = ("rows", "known_on", "validation", "source", "publisher", "licence", "agency", "entity")
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
    url: str, ref: str, find: Callable[[str], LogEntry | None] | None = None
) -> Node:
    """Everything that `ref` rests on, down to `raw:<sha256>`.

    Args:
        url: `Settings.events`.
        ref: any reference (`model:NAME@3`, `delta:published/x@4`, …); a text without a
            colon is taken as the id of a prediction.
        find: a prediction of the log by its id (`lake_table.by_id`), asked for what the event log
            does not name: a service leaves no event an answer.

    Raises:
        UsageError: neither log names the reference.
    """
    return trace_in(Index(url), ref, find)


def trace_in(
    index: Index, ref: str, find: Callable[[str], LogEntry | None] | None = None
) -> Node:
    """As `trace`, over a log that was read already."""
    start = ref if ":" in ref else f"prediction:{ref}"
    if not index.has(start):
        entry = find(start.removeprefix("prediction:")) if find else None
        if entry:
            return _open(start, index, set(), _event(entry, index))
        newest = index.newest(_NEWEST)
        raise UsageError(
            f"No step in the event log made or read '{start}'.",
            where=WHERE,
            fix="An answer's id is the `prediction_id` in the reply of the endpoint. "
            + (f"Newest references: {', '.join(newest)}." if newest else "The log is empty."),
        )
    return _open(start, index, set())


def _event(entry: LogEntry, index: Index) -> Event:
    """An event for a prediction of the log, or for a row of a forecast table."""
    facts = {
        "kind": entry.kind, "entity": entry.entity, "data_as_of": entry.basis.data_as_of,
        **entry.parameters, "answer": kinds.answer(entry), "content_hash": entry.prediction_key,
        "agency": entry.agency, "request_id": entry.request_id,
    }  # fmt: skip
    return {
        "id": entry.prediction_id,
        "time": entry.time.isoformat(timespec="milliseconds") if entry.time else "",
        "step": "forecast" if entry.kind == "forecast" else "answer",
        "subject": entry.use_case,
        "status": "done",
        "inputs": inputs_of(entry.basis, index),
        "outputs": [f"prediction:{entry.prediction_id}"],
        "facts": {name: str(value) for name, value in facts.items() if value != ""},
    }


def inputs_of(basis: Basis, index: Index) -> list[str]:
    """References that a prediction rests on.

    A historical forecast names the version of the table that was looked at; what it rests on is
    the version that put those rows there.
    """
    return [
        (forecast_version(basis, index) or ref) if ref.startswith("delta:forecasts/") else ref
        for ref in basis.refs
    ]


def forecast_version(basis: Basis, index: Index) -> str | None:
    """The version of a forecast table that wrote the rows of this model and origin, if known.

    Args:
        basis: `features_ref` is the version that was looked at, `data_as_of` the origin.
    """
    table, _, newest = basis.features_ref.rpartition("@")
    best = -1
    for event in index.steps("forecast"):
        same = event["facts"].get("data_as_of") == basis.data_as_of
        if not same or basis.model not in event["inputs"]:
            continue
        for output in event["outputs"]:
            name, _, version = output.rpartition("@")
            if name == table and best < int(version) <= int(newest):
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
    counts: Counter[str] = Counter()
    for child in node.children:
        kind = sibling(child)
        counts[kind] += 1
        if counts[kind] <= _SIBLINGS:
            tree.add(render(child))
    if hidden := sum(max(0, n - _SIBLINGS) for n in counts.values()):
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
        text = "written and audited inside that step" if passing else "no step recorded"
        return label.append(f"  {text}", style="not bold dim")
    day = str(node.event["time"])[:16].replace("T", " ")
    label.append(f"  {node.event['step']}, {day} UTC", style="not bold cyan")
    facts = node.event["facts"]
    # A landed file keeps where it came from in its own record.
    facts = {**facts, "source": facts["raw"]["source"]} if "raw" in facts else facts
    for name in _FACTS:
        if name in facts:
            label.append(f"\n{name}: {_plain(facts[name])}", style="not bold")
    return label


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(part)}" for name, part in value.items())
    return f"{value:,}" if isinstance(value, int) else str(value)
