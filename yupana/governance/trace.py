"""From an answer back to the published bytes that it rests on: a walk over the event log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.core.errors import UsageError
from yupana.governance import events, predictions
from yupana.governance.events import Event

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
        find: an answer of the prediction log by its id (as `predictions.found` tells it), asked
            for what the event log does not name: a service leaves no event an answer.

    Raises:
        UsageError: neither log names the reference.
        TerminalError: the event log is damaged (from `events.read`).
    """
    wanted = ref if ":" in ref else f"prediction:{ref}"
    made_by: dict[str, Event] = {}
    named: set[str] = set()
    for event in events.read(events_path):
        if event["status"] != "done":
            continue
        named.update(event["inputs"])
        for output in event["outputs"]:
            # Taken out first, so that the dict's order is that of the newest making.
            made_by.pop(output, None)
            made_by[output] = event
    if wanted not in made_by and wanted not in named:
        answer = find(wanted.removeprefix("prediction:")) if find else None
        if answer:
            made_by[wanted] = _answered(answer)
            return _open(wanted, made_by, set())
        newest = list(made_by)[-_NEWEST:]
        raise UsageError(
            f"No step in the event log made or read '{wanted}'.",
            where=str(events_path),
            fix="An answer's id is the `prediction_id` in the reply of the endpoint. "
            + (f"Newest references: {', '.join(newest)}." if newest else "The log is empty."),
        )
    return _open(wanted, made_by, set())


def _answered(answer: dict[str, Any]) -> Event:
    """An event for an answer of the prediction log."""
    told = ("kind", "ubigeo", "as_of", "data_as_of", "horizon", "agency", "request_id")
    return {
        "id": answer["prediction_id"],
        "time": answer["time"].isoformat(timespec="milliseconds"),
        "step": "answer",
        "subject": answer["use_case"],
        "status": "done",
        "inputs": predictions.refs(answer),
        "outputs": [f"prediction:{answer['prediction_id']}"],
        "facts": {name: str(answer[name]) for name in told},
    }


def _open(ref: str, made_by: dict[str, Event], opened: set[str]) -> Node:
    event = made_by.get(ref)
    if ref in opened:
        return Node(ref, event, again=True)
    opened.add(ref)
    inputs = event["inputs"] if event else []
    # A step that lists its own output as input would only repeat itself.
    return Node(ref, event, [_open(i, made_by, opened) for i in inputs if i != ref])


def sources(node: Node) -> list[str]:
    """The references of the published bytes below a node, each once, in reading order."""
    here = [node.ref] if node.ref.startswith("raw:") else []
    below = [ref for child in node.children for ref in sources(child)]
    return list(dict.fromkeys(here + below))


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
        step = child.event["id"] if child.event else child.ref
        shown[step] += 1
        if shown[step] <= _SIBLINGS:
            tree.add(render(child))
    if hidden := sum(max(0, n - _SIBLINGS) for n in shown.values()):
        tree.add(f"and {hidden:,} more from the same steps")
    return tree


def _label(node: Node) -> Text:
    from rich.text import Text

    # `Text`, not markup: a reference or a file name may hold brackets.
    label = Text(node.ref, style="bold")
    if node.again:
        return label.append(" …", style="not bold dim")
    if node.event is None:
        return label.append("  no step recorded", style="not bold dim")
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
