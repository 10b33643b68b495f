"""One label and weight a text for training, of all that anybody says of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from yupana.tasks.classify.labelling.labels import Label, Source

TRUST: dict[Source, int] = {
    "reviewer": 16, "clerk": 8, "publisher": 4, "model": 2, "function": 1,
}  # fmt: skip
"""The first source in this order that speaks of a text decides; each weighs more than all that
follow it, so that weights fall with who disagrees and not with how many."""


class TrainingLabel(NamedTuple):
    """What a text is trained on.

    Attributes:
        weight: above 0 to 1.
        source: who decided.
    """

    entity: str
    label: str
    weight: float
    source: Source


def training_labels(
    labels: Sequence[Label], publisher: Mapping[str, str | None]
) -> list[TrainingLabel]:
    """One label a text that anybody labels, by entity.

    The weight is the confidence of who decided, times the share of all sources' trust that is on
    the label: a publisher's label alone weighs 1, one that the label model contradicts 4/6.
    A label with confidence 0 is withdrawn. The order of `labels` does not matter.

    Args:
        labels: those that hold (`labels.of`).
        publisher: the label in the published data by entity; empty or None: none.
    """
    said: dict[str, list[Label]] = defaultdict(list)
    for label in labels:
        if label.confidence > 0:
            said[label.entity].append(label)
    for entity, name in publisher.items():
        if name and all(label.source != "publisher" for label in said[entity]):
            said[entity].append(Label(entity, name, "publisher", "publisher"))
    return [_decided(entity, said[entity]) for entity in sorted(said) if said[entity]]


def _decided(entity: str, labels: Iterable[Label]) -> TrainingLabel:
    by_source: dict[Source, list[Label]] = defaultdict(list)
    for label in sorted(labels):
        by_source[label.source].append(label)
    support: dict[str, float] = defaultdict(float)
    for source, mine in by_source.items():
        total = sum(label.confidence for label in mine)
        for label in mine:
            support[label.label] += TRUST[source] * label.confidence / total
    source = next(source for source in TRUST if source in by_source)
    shares: dict[str, float] = defaultdict(float)
    for label in by_source[source]:
        shares[label.label] += label.confidence
    # Between even ones other sources decide, then the name.
    name = min(shares, key=lambda n: (-round(shares[n], 9), -round(support[n], 9), n))
    winners = [label.confidence for label in by_source[source] if label.label == name]
    confidence = sum(winners) / len(winners)
    trust = sum(TRUST[source] for source in by_source)
    return TrainingLabel(entity, name, round(confidence * support[name] / trust, 6), source)
