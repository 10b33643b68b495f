"""From a file or a published version to all that rests on it: the event log walked forwards."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from typing import Any

from yupana.governance import trace
from yupana.governance.trace_index import Index

Holds = Callable[[str, str], bool]
"""Whether a version of a table (first) still holds rows of what was recalled, if the one before
it (second) did: a file that came later may have replaced them all."""


def touched(index: Index, starts: Iterable[str], holds: Holds = lambda new, old: True) -> list[str]:
    """References that rest on any of `starts`, these first, in the order in which they are found.

    A deployment rests on its own model alone: one `deploy` step may place two models. A forecast
    table keeps the rows of earlier runs, so its versions stand for what each run wrote.
    """
    readers: dict[str, list[list[str]]] = defaultdict(list)
    exported: dict[str, str] = {}
    for _, step, inputs, outputs in index.edges():
        pairs = _deployed(inputs, outputs) if step == "deploy" else [(inputs, outputs)]
        if step == "export-predictions":
            # Rows are only added: a version holds all that the one before it held.
            before = [exported[t] for t in map(_table, outputs) if t in exported]
            exported |= {_table(output): output for output in outputs}
            pairs.append((before, outputs))
        for read, made in pairs:
            for ref in read:
                readers[ref].append(made)
    found = dict.fromkeys(starts)
    waiting = deque(found)
    while waiting:
        ref = waiting.popleft()
        for made in readers[ref]:
            for output in made:
                if output in found or (_follows(output, ref) and not holds(output, ref)):
                    continue
                found[output] = None
                waiting.append(output)
    return list(found)


def _deployed(inputs: list[str], outputs: list[str]) -> list[tuple[list[str], list[str]]]:
    """Each deployment with its own model; one of a model from elsewhere with what was adopted."""
    shared = [ref for ref in inputs if not ref.startswith("model:")]
    pairs = []
    for output in outputs:
        use_case, _, version = output.removeprefix("deployment:").partition(":")
        pairs.append(([*shared, f"model:{use_case}@{version}"], [output]))
    return pairs


def _follows(new: str, old: str) -> bool:
    """Whether both are versions of one published table."""
    return new.startswith("delta:published/") and _table(new) == _table(old)


def _table(ref: str) -> str:
    return ref.rpartition("@")[0]


class Touch:
    """Which rows of the prediction log rest on recalled references, and through what.

    Args:
        refs: as `touched` found them.
    """

    def __init__(self, refs: Iterable[str], index: Index) -> None:
        self._refs, self._index = frozenset(refs), index
        self._seen: dict[tuple[str, ...], str] = {}

    def through(self, row: Any) -> str:
        """`model`, `features` or `forecast` (a recorded one); empty when the row is untouched.

        Args:
            row: `use_case`, `model_version`, `features_ref` and `data_as_of` of an answer.
        """
        names = ("use_case", "model_version", "features_ref", "data_as_of")
        key = tuple(str(row[name]) for name in names)
        if key not in self._seen:
            self._seen[key] = self._through(dict(zip(names, key, strict=True)))
        return self._seen[key]

    def _through(self, row: dict[str, str]) -> str:
        if f"model:{row['use_case']}@{row['model_version']}" in self._refs:
            return "model"
        if not row["features_ref"].startswith("delta:forecasts/"):
            return "features" if row["features_ref"] in self._refs else ""
        wrote = trace.wrote_forecast(row, self._index) or row["features_ref"]
        return "forecast" if wrote in self._refs else ""
