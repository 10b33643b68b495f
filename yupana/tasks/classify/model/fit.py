"""Fit a cascade: each fold by models that have seen nothing of its groups, then all by the same
procedure and seeds. The first are scored, the second answers.

The student's teacher of a fold's texts has not seen their groups either: for each two folds a head
is fitted without both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from yupana.tasks.classify.dataset.folds import FOLDS
from yupana.tasks.classify.dataset.texts import LABEL, TEXT, TITLE
from yupana.tasks.classify.model import calibration, head, quick_student, student
from yupana.tasks.classify.model.cascade import Cascade, Thresholds
from yupana.tasks.classify.model.head import About, Embed, Head
from yupana.tasks.classify.model.quick_student import QuickStudent
from yupana.tasks.classify.options import Options
from yupana.tasks.classify.result import Text

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray[Any, np.dtype[Any]]
Say = Callable[[str], None]


@dataclass(frozen=True)
class HeldOut:
    """What models said of texts of groups that they had not seen, shape (texts, labels).

    Attributes:
        student, head: before their temperatures.
        cascade: as a cascade of the other folds' thresholds answers.
        encoded: whether the cascade asked the encoder (texts,).
    """

    student: Array
    head: Array
    cascade: Array
    encoded: Array


@dataclass(frozen=True)
class Data:
    """Labelled texts as models read them.

    Attributes:
        fold, labels: numbers (texts,); `weight` (texts,); `embedded` (texts, width).
        about: of the labels.
    """

    texts: list[str]
    fold: Array
    labels: Array
    weight: Array
    embedded: Array
    about: About


def prepare(rows: pd.DataFrame, names: Sequence[str], options: Options, embed: Embed) -> Data:
    """The rows of a training set as numbers.

    Args:
        rows: `title`, `text`, `label`, `part` (`fold_<n>`) and, where labels are not all as
            sure, `weight`.
        names: of the labels, in order.
    """
    texts = [Text(t, x) for t, x in zip(rows[TITLE], rows[TEXT], strict=True)]
    labels = rows[LABEL].map({name: n for n, name in enumerate(names)}).to_numpy()
    counts = np.bincount(labels, minlength=len(names))
    # Labels count alike, however many texts they have: the metric is their mean.
    weight = len(labels) / len(names) / np.maximum(counts, 1)[labels]
    if "weight" in rows:
        weight = weight * rows["weight"].to_numpy()
    about = About.of([options.label_of(name).about for name in names], embed)
    fold = rows["part"].str.removeprefix("fold_").astype(int).to_numpy()
    whole = [text.whole for text in texts]
    return Data(whole, fold, labels, weight, head.vectors(texts, embed), about)


def fit(
    data: Data, names: Sequence[str], options: Options, *, seed: int, say: Say
) -> tuple[Cascade, HeldOut]:
    """A cascade, and what was said of held-out texts by the same procedure."""
    say(f"heads without one fold, and without two, of {FOLDS} …")
    without = {held: _head(data, held) for held in _held_out()}
    heads = np.zeros((len(data.labels), len(names)))
    for fold in range(FOLDS):
        rows = data.fold == fold
        heads[rows] = without[(fold,)].probabilities(data.embedded[rows])
    students = np.zeros_like(heads)
    for fold in range(FOLDS):
        say(f"student without fold {fold + 1} of {FOLDS} …")
        teacher = _teacher(data, without, fold)
        fitted = _student(data, data.fold != fold, teacher, len(names), seed, say)
        rows = np.flatnonzero(data.fold == fold)
        students[rows] = fitted.probabilities([data.texts[row] for row in rows])
    say("student and head on all texts …")
    everything = np.ones(len(data.labels), bool)
    taught = _sharp(heads, data.labels, everything)
    final = _student(data, everything, taught, len(names), seed, say)
    thresholds = _thresholds(students, heads, data.labels, options)
    cascade = Cascade(
        names, options.languages, final, _head(data, ()), thresholds
    )
    return cascade, _held(data, students, heads, options)


def answers(student_said: Array, head_said: Array, of: Thresholds) -> tuple[Array, Array]:
    """What a cascade answers: probabilities, and where the encoder is asked."""
    alone = of.student.apply(student_said)
    unsure = alone.max(axis=1) < of.sure
    return np.where(unsure[:, None], of.head.apply(head_said), alone), unsure


def _held_out() -> list[tuple[int, ...]]:
    folds = range(FOLDS)
    return [*((fold,) for fold in folds), *combinations(folds, 2)]


def _head(data: Data, held: Sequence[int]) -> Head:
    rows = ~np.isin(data.fold, held)
    return head.fit(data.embedded[rows], data.labels[rows], data.weight[rows], data.about)


def _teacher(data: Data, without: dict[tuple[int, ...], Head], fold: int) -> Array:
    """Of each text outside a fold, what a head says that has seen neither fold."""
    taught = np.zeros((len(data.labels), len(data.about.starts)))
    for other in range(FOLDS):
        if other != fold:
            rows = data.fold == other
            of = without[(min(fold, other), max(fold, other))]
            taught[rows] = of.probabilities(data.embedded[rows])
    return _sharp(taught, data.labels, data.fold != fold)


def _sharp(said: Array, labels: Array, rows: Array) -> Array:
    """As sure as some rows' labels warrant: a regression on unit vectors is never sure."""
    return calibration.soften(said, calibration.temperature(said[rows], labels[rows]))


def _student(
    data: Data, rows: Array, teacher: Array, count: int, seed: int, say: Say
) -> QuickStudent:
    texts = [data.texts[row] for row in np.flatnonzero(rows)]
    network = student.train(
        texts, data.labels[rows], data.weight[rows], teacher[rows], count=count, seed=seed, say=say
    )
    state = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    return quick_student.QuickStudent(
        state["bag.weight"], state["out.weight"], state["out.bias"]
    )


def _held(data: Data, students: Array, heads: Array, options: Options) -> HeldOut:
    """Each fold's answers by what the other folds' texts teach of temperatures."""
    cascade, encoded = np.zeros_like(students), np.zeros(len(data.labels), bool)
    for fold in range(FOLDS):
        rows, rest = data.fold == fold, data.fold != fold
        of = _thresholds(students[rest], heads[rest], data.labels[rest], options)
        cascade[rows], encoded[rows] = answers(students[rows], heads[rows], of)
    return HeldOut(students, heads, cascade, encoded)


def _thresholds(students: Array, heads: Array, labels: Array, options: Options) -> Thresholds:
    by = {
        "student": calibration.confidence(students, labels),
        "head": calibration.confidence(heads, labels),
    }
    right = students.argmax(axis=1) == labels
    confidence = by["student"].apply(students).max(axis=1)
    sure = _sure(confidence, right, heads.argmax(axis=1) == labels)
    before = Thresholds(**by, sure=sure, decide=0)
    answer, _ = answers(students, heads, before)
    good = answer.argmax(axis=1) == labels
    decide = calibration.least_confidence(answer.max(axis=1), good, options.accuracy)
    return replace(before, decide=decide)


def _sure(confidence: Array, right: Array, encoded: Array) -> float:
    """The lowest confidence of the student from which on it is right as often as the head.

    Args:
        right, encoded: whether the student and the head are right (texts,).
    """
    order = np.argsort(-confidence, kind="stable")
    behind = np.cumsum(encoded[order].astype(int) - right[order].astype(int))
    shares = behind / np.arange(1, len(order) + 1)
    good = np.flatnonzero(shares[calibration.LEAST - 1 :] <= 0)
    if not len(good):
        return calibration.NEVER
    return float(confidence[order][good[-1] + calibration.LEAST - 1])
