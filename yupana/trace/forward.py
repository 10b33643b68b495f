"""From a file or a published version to all that rests on it: the event log walked forwards."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable

from yupana.predictions.entry import Basis
from yupana.trace import backward
from yupana.trace.index import Index

Holds = Callable[[str, str], bool]
"""Whether a version of a table (first) still holds rows of what was recalled, if the one before
it (second) did: a file that came later may have replaced them all."""


def dependents(
    index: Index, starts: Iterable[str], holds: Holds = lambda new, old: True
) -> list[str]:
    """References that rest on any of `starts`, these first, in the order in which they are found.

    A deployment rests on its own model alone: one `deploy` step may place two models. A forecast
    table keeps the rows of earlier runs, so its versions stand for what each run wrote.
    """
    readers: dict[str, list[list[str]]] = defaultdict(list)
    exported: dict[str, str] = {}
    for step, inputs, outputs in index.edges():
        pairs = _deployed(inputs, outputs) if step == "deploy" else [(inputs, outputs)]
        if step == "export-predictions":
            # Rows are only added: a version holds all that the one before it held.
            before = [exported[t] for t in map(_table, outputs) if t in exported]
            exported |= {_table(output): output for output in outputs}
            pairs.append((before, outputs))
        for sources, results in pairs:
            for ref in sources:
                readers[ref].append(results)
    touched = dict.fromkeys(starts)
    waiting = deque(touched)
    while waiting:
        ref = waiting.popleft()
        for results in readers[ref]:
            for output in results:
                if output in touched or (_follows(output, ref) and not holds(output, ref)):
                    continue
                touched[output] = None
                waiting.append(output)
    return list(touched)


def _deployed(inputs: list[str], outputs: list[str]) -> list[tuple[list[str], list[str]]]:
    """Each deployment with its own model; one of a model from elsewhere with what was adopted."""
    others = [ref for ref in inputs if not ref.startswith("model:")]
    pairs = []
    for output in outputs:
        use_case, _, version = output.removeprefix("deployment:").partition(":")
        pairs.append(([*others, f"model:{use_case}@{version}"], [output]))
    return pairs


def _follows(new: str, old: str) -> bool:
    """Whether both are versions of one published table."""
    return new.startswith("delta:published/") and _table(new) == _table(old)


def _table(ref: str) -> str:
    return ref.rpartition("@")[0]


class Touch:
    """Which predictions rest on recalled references, and through what.

    Args:
        refs: as `touched` returns them.
    """

    def __init__(self, refs: Iterable[str], index: Index) -> None:
        self._refs, self._index = frozenset(refs), index
        self._through: dict[Basis, str] = {}

    def through(self, basis: Basis) -> str:
        """`model`, `features` or `forecast` (a historical one); empty when it is untouched."""
        if basis not in self._through:
            self._through[basis] = self._walk(basis)
        return self._through[basis]

    def _walk(self, basis: Basis) -> str:
        if basis.model in self._refs:
            return "model"
        if not basis.features_ref.startswith("delta:forecasts/"):
            return "features" if basis.features_ref in self._refs else ""
        ref = backward.forecast_version(basis, self._index) or basis.features_ref
        return "forecast" if ref in self._refs else ""
