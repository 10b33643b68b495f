"""Run the labelling functions and the label model over all texts, and keep their labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from yupana.core.errors import UsageError
from yupana.core.progress import Progress
from yupana.tasks.classify.labelling import label_model, labels, votes
from yupana.tasks.classify.labelling.functions import Labelling
from yupana.tasks.classify.labelling.label_model import LabelModel
from yupana.tasks.classify.labelling.labels import Label
from yupana.tasks.classify.labelling.votes import FunctionReport, Votes

if TYPE_CHECKING:
    import polars as pl

MACHINES = ("function", "model")
"""Sources whose labels are made anew by each run."""

_LISTED = 20


@dataclass(frozen=True)
class Outcome:
    """What the functions and the label model say of all texts.

    Attributes:
        known: where labels came from by which functions are measured: persons and the publisher.
        agreement: share of the label model's labels that are the known one; None: none is known.
        confidence: mean probability of these, to compare `agreement` with.
    """

    votes: Votes
    model: LabelModel
    reports: tuple[FunctionReport, ...]
    labels: tuple[Label, ...]
    known: int
    agreement: float | None
    confidence: float | None


def given(texts: pl.DataFrame, existing: Iterable[Label]) -> dict[str, dict[str, str]]:
    """What each source says of texts: source → entity → label. Of several persons, the last."""
    said: dict[str, dict[str, str]] = defaultdict(dict)
    for entity, label in texts.select("entity", "label").iter_rows():
        if label:
            said["publisher"][entity] = label
    for one in sorted(existing, key=lambda label: label.author):
        if one.source not in MACHINES and one.confidence > 0:
            said[one.source][one.entity] = one.label
    return dict(said)


def known_labels(said: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The label of texts that a person or the publisher gave, by entity; persons go first."""
    return {**said.get("publisher", {}), **said.get("clerk", {}), **said.get("reviewer", {})}


def run(
    labelling: Labelling, texts: pl.DataFrame, existing: Sequence[Label], seed: int,
    progress: Progress,
) -> Outcome:  # fmt: skip
    """Votes, label model and labels; writes nothing.

    Args:
        texts: columns entity, title, text, label (str).
        existing: labels that hold, of any source.
    """
    said = given(texts, existing)
    cast = votes.of(labelling, texts, said, progress.say)
    progress.say("fitting the label model")
    model = label_model.fit(cast, seed)
    known = known_labels(said)
    reports = votes.table(cast, known)
    mine = (*_of_functions(cast, model), *_of_model(cast, model))
    measured = [one for one in mine if one.source == "model" and one.entity in known]
    right = [one.label == known[one.entity] for one in measured]
    return Outcome(
        cast, model, tuple(reports), mine, len(known),
        sum(right) / len(right) if right else None,
        sum(one.confidence for one in measured) / len(right) if right else None,
    )  # fmt: skip


def _of_functions(cast: Votes, model: LabelModel) -> Iterable[Label]:
    for column, function in enumerate(cast.functions):
        confidence = round(model.accuracies[function.author], 4)
        for row in (cast.matrix[:, column] != votes.ABSTAINS).nonzero()[0]:
            name = cast.labels[cast.matrix[row, column]]
            yield Label(cast.entities[row], name, "function", function.author, confidence)


def _of_model(cast: Votes, model: LabelModel) -> Iterable[Label]:
    best = model.probabilities.argmax(axis=1)
    for row in model.covered.nonzero()[0]:
        confidence = round(float(model.probabilities[row, best[row]]), 4)
        name = cast.labels[best[row]]
        yield Label(cast.entities[row], name, "model", label_model.NAME, confidence)


def changes(existing: Iterable[Label], mine: Iterable[Label]) -> list[Label]:
    """Labels to append so that of machines' labels `mine` hold and no others.

    One that no longer holds is withdrawn by a label of confidence 0: the table keeps all rows.
    """
    before = {(e.entity, e.author): e for e in existing if e.source in MACHINES}
    after = {(label.entity, label.author): label for label in mine}
    fresh = [label for key, label in after.items() if before.get(key) != label]
    gone = [
        old._replace(confidence=0.0)
        for key, old in before.items() if key not in after and old.confidence > 0
    ]  # fmt: skip
    return [*fresh, *gone]


def keep(url: str, use_case: str, mine: Sequence[Label], now: datetime) -> int:
    """Append what is new of machines' labels in one transaction; returns how many rows."""
    return labels.add(url, use_case, changes(labels.of(url, use_case), mine), now)


def demand_versions(labelling: Labelling, before: Mapping[str, str], where: str) -> None:
    """Demand that a function that changed has another version.

    Args:
        before: digest of each function of the last run, by `name@version`.

    Raises:
        UsageError: one changed under its version: its labels could not be told from the old.
    """
    for function in labelling.functions:
        if before.get(function.author, function.digest) != function.digest:
            raise UsageError(
                f"The function {function.author} is not what it was when it last labelled.",
                where=where,
                fix=f"Write `version: {function.version + 1}` (or more) with the change.",
            )


def summary(outcome: Outcome) -> dict[str, Any]:
    """What a run is like, as JSON; no text stands in it."""
    model, cast = outcome.model, outcome.votes
    failures = [failure._asdict() for failure in cast.failures]
    return {
        "texts": len(cast.entities),
        "covered": int(model.covered.sum()),
        "known": outcome.known,
        "agreement": outcome.agreement,
        "confidence": outcome.confidence,
        "functions": [
            {**asdict(report), "estimated": round(model.accuracies[report.function], 4)}
            for report in outcome.reports
        ],
        "balance": {name: round(share, 4) for name, share in model.balance.items()},
        "copies": [list(group) for group in model.copies],
        "near_copies": [list(pair) for pair in model.near_copies],
        "failures": failures[:_LISTED],
        "failures_in_all": len(failures),
    }
