"""Probabilities of labels from a model that never saw the text, nor any text of its group.

TF-IDF and a logistic regression of scikit-learn: quick, and not the model whose training set is
looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from yupana.core.errors import TerminalError
from yupana.tasks.classify.labelling.label_model import Array

NAME = "tfidf_by_group@1"
"""How its labels are signed where they are shown to people."""

_FOLDS, _TERMS = 5, 20_000
# To 3 digits of the macro-F1 what L-BFGS finds in four times the time.
_SOLVER: dict[str, Any] = {"solver": "saga", "C": 5.0, "tol": 3e-3, "max_iter": 100}


@dataclass(frozen=True)
class OutOfSample:
    """Probabilities of texts.

    Attributes:
        labels: names of the columns.
        probabilities: (texts, labels), rows sum to 1.
        judged: (texts,): the text has a label, and the model that judged it had seen others of
            that label. Without a label the text's row is by the model of all labelled texts.
        alone: labels that stand in one group alone, which no other group can judge.
    """

    labels: tuple[str, ...]
    probabilities: Array
    judged: np.ndarray[Any, np.dtype[np.bool_]]
    alone: tuple[str, ...] = ()


def probabilities(
    texts: Sequence[str], groups: Sequence[str], labels: Sequence[str | None],
    weights: Sequence[float], seed: int,
) -> OutOfSample:  # fmt: skip
    """Cross-validation by group on labelled texts; the others by all of them.

    Raises:
        TerminalError: fewer than two labels stand in two groups or more.
    """
    places: dict[str, set[str]] = defaultdict(set)
    for label, group in zip(labels, groups, strict=True):
        if label is not None:
            places[label].add(group)
    names = tuple(sorted(label for label, where in places.items() if len(where) > 1))
    if len(names) < 2:
        raise TerminalError(
            f"{len(names)} labels stand in two groups of texts or more: 2 are needed to judge one "
            "group's labels by the others.",
            where="labels of the use case",
            fix="Run `yupana label apply` with more functions, or import reviewed labels.",
        )
    number = {name: index for index, name in enumerate(names)}
    target = np.array([number.get(label or "", -1) for label in labels])
    features = _features(texts)
    matrix = np.zeros((len(texts), len(names)))
    judged = np.zeros(len(texts), bool)
    for train, test in _folds(target, np.asarray(groups), seed):
        seen = _predict(features, target, np.asarray(weights), train, test, matrix, seed)
        judged[test] = np.isin(target[test], seen)
    rest, labelled = np.flatnonzero(target < 0), np.flatnonzero(target >= 0)
    if len(rest):
        _predict(features, target, np.asarray(weights), labelled, rest, matrix, seed)
    return OutOfSample(names, matrix, judged, tuple(sorted({*places} - {*names})))


def _features(texts: Sequence[str]) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(
        strip_accents="unicode", sublinear_tf=True, max_features=_TERMS
    ).fit_transform(texts)


def _folds(target: Any, groups: Any, seed: int) -> list[tuple[Any, Any]]:
    """Rows to learn from and rows to judge, of those with a label."""
    from sklearn.model_selection import StratifiedGroupKFold

    labelled = np.flatnonzero(target >= 0)
    folds = min(_FOLDS, len(set(groups[labelled])))
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    split = splitter.split(labelled, target[labelled], groups[labelled])
    return [(labelled[train], labelled[test]) for train, test in split]


def _predict(
    features: Any, target: Any, weights: Any, train: Any, test: Any, matrix: Array, seed: int
) -> Any:
    """Fill rows of `matrix`; the labels that were learned from."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    seen = np.unique(target[train])
    if len(seen) == 1:
        matrix[test, seen[0]] = 1.0
        return seen
    model = LogisticRegression(**_SOLVER, random_state=seed)
    # On a busy machine two threads take ten times as long as one for products this small.
    with threadpool_limits(1):
        model.fit(features[train], target[train], sample_weight=weights[train])
    matrix[np.ix_(test, model.classes_)] = model.predict_proba(features[test])
    return seen
