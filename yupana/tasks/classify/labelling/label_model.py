"""How right each labelling function is, and the probable label of each text, from votes alone.

The model of Dawid and Skene (1979, https://doi.org/10.2307/2346806) with one accuracy a function,
as data programming has it (Ratner et al. 2016, https://arxiv.org/abs/1605.07723), fitted by
expectation-maximisation. It assumes that:

- functions err independently, given the label. They do not: where two look for the same words,
  probabilities are too sure. Only functions whose votes are all the same count once.
- that a function abstains says nothing of the label.
- a function that errs gives any of the other labels alike.
- a function is right at least half of the time. Without that bound, of two labels whose functions
  often contradict each other one takes all: seen on real complaints (docs/adr/0040).
- labels are alike frequent, unless every function gives several: from functions that give one
  label each, how often they vote and how frequent their label is cannot be told apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from yupana.tasks.classify.labelling.votes import ABSTAINS, Votes

NAME = "label_model@1"
"""The author of its labels; a new version is another model."""

Array = np.ndarray[Any, np.dtype[np.float64]]

_STEPS, _TOLERANCE, _STARTS = 300, 1e-7, 5
# Pseudo-votes: what a function with few votes is taken for, and what keeps a label alive.
_RIGHT, _WRONG, _EACH_LABEL = 7.0, 3.0, 1.0
_LEAST, _MOST = 0.5, 0.99
_ALIKE = 0.9
"""Share of common votes from which two functions are called near copies."""


@dataclass(frozen=True)
class LabelModel:
    """Fitted on votes.

    Attributes:
        accuracies: by function, 0.5-0.99: how probable its vote is right.
        balance: by label; sums to 1.
        probabilities: (texts, labels), rows sum to 1; without a vote the balance.
        covered: (texts,): whether any function votes.
        copies: groups of functions with the same votes, which count once.
        near_copies: pairs whose votes are nearly the same, which count twice all the same.
    """

    accuracies: dict[str, float]
    balance: dict[str, float]
    probabilities: Array
    covered: np.ndarray[Any, np.dtype[np.bool_]]
    copies: tuple[tuple[str, ...], ...] = ()
    near_copies: tuple[tuple[str, str], ...] = ()


def fit(votes: Votes, seed: int) -> LabelModel:
    """Fit on votes; the same votes and seed give the same model."""
    groups = _copies(votes)
    matrix = votes.matrix[:, [columns[0] for columns in groups]]
    # Few ways of voting occur: what is learned from is each of them, and how often it occurs.
    ways, way, counts = np.unique(matrix, axis=0, return_inverse=True, return_counts=True)
    hits, count = _one_hot(ways, len(votes.labels)), counts.astype(np.float64)
    labels_of_each = hits.any(axis=1).sum(axis=1)
    learn_balance = bool((labels_of_each != 1).all())
    random = np.random.default_rng(seed)
    starts = [np.full(len(groups), _RIGHT / (_RIGHT + _WRONG))]
    starts += [random.uniform(0.5, 0.95, len(groups)) for _ in range(_STARTS - 1)]
    _, accuracies, balance = max(
        (_em(hits, count, start, learn_balance) for start in starts), key=lambda fit: fit[0]
    )
    posterior, _ = _expect(hits, count, accuracies, balance)
    names = [function.author for function in votes.functions]
    return LabelModel(
        {names[column]: float(a) for a, columns in zip(accuracies, groups, strict=True)
         for column in columns},
        dict(zip(votes.labels, map(float, balance), strict=True)),
        posterior[way.ravel()],
        (votes.matrix != ABSTAINS).any(axis=1),
        tuple(tuple(names[c] for c in columns) for columns in groups if len(columns) > 1),
        _near(votes, [columns[0] for columns in groups]),
    )  # fmt: skip


def _copies(votes: Votes) -> list[list[int]]:
    """Columns in groups of the same votes; one without votes is no one's copy."""
    groups: dict[bytes, list[int]] = {}
    for column in range(votes.matrix.shape[1]):
        mine = votes.matrix[:, column]
        key = mine.tobytes() if (mine != ABSTAINS).any() else str(column).encode()
        groups.setdefault(key, []).append(column)
    return list(groups.values())


def _near(votes: Votes, columns: list[int]) -> tuple[tuple[str, str], ...]:
    pairs = []
    for place, one in enumerate(columns):
        for other in columns[place + 1 :]:
            a, b = votes.matrix[:, one], votes.matrix[:, other]
            either = int(((a != ABSTAINS) | (b != ABSTAINS)).sum())
            same = int(((a == b) & (a != ABSTAINS)).sum())
            if either and same / either >= _ALIKE:
                pairs.append((votes.functions[one].author, votes.functions[other].author))
    return tuple(pairs)


def _one_hot(matrix: np.ndarray[Any, np.dtype[np.int16]], labels: int) -> Array:
    """(functions, ways, labels): 1 where the function gives the label."""
    return np.equal(matrix.T[:, :, None], np.arange(labels)).astype(np.float64)


def _em(
    hits: Array, count: Array, start: Array, learn_balance: bool
) -> tuple[float, Array, Array]:
    """Log posterior, accuracies and balance where steps no longer change them."""
    labels = hits.shape[2]
    accuracies, balance = start, np.full(labels, 1 / labels)
    cast = hits.sum(axis=2)
    covered, total_votes = cast.any(axis=0), cast @ count
    before = fit = -np.inf
    for _ in range(_STEPS):
        posterior, likelihood = _expect(hits, count, accuracies, balance)
        fit = likelihood + _prior(accuracies, balance)
        right = np.einsum("fwl,wl,w->f", hits, posterior, count)
        accuracies = (right + _RIGHT) / (total_votes + _RIGHT + _WRONG)
        # Sure would end the learning.
        accuracies = np.clip(accuracies, _LEAST, _MOST)
        if learn_balance:
            total = count[covered] @ posterior[covered] + _EACH_LABEL
            balance = total / total.sum()
        if fit - before < _TOLERANCE * (1 + abs(fit)):
            break
        before = fit
    return fit, accuracies, balance


def _expect(
    hits: Array, count: Array, accuracies: Array, balance: Array
) -> tuple[Array, float]:
    """Probabilities of labels by way of voting, and the log likelihood of the votes."""
    wrong = np.log((1 - accuracies) / (hits.shape[2] - 1))
    cast = hits.sum(axis=2)
    scores = np.log(balance) + (cast.T @ wrong)[:, None]
    scores += np.einsum("fwl,f->wl", hits, np.log(accuracies) - wrong)
    top = scores.max(axis=1, keepdims=True)
    weights = np.exp(scores - top)
    total = weights.sum(axis=1, keepdims=True)
    return weights / total, float(count @ (np.log(total) + top)[:, 0])


def _prior(accuracies: Array, balance: Array) -> float:
    beliefs = _RIGHT * np.log(accuracies) + _WRONG * np.log(1 - accuracies)
    return float(beliefs.sum() + _EACH_LABEL * np.log(balance).sum())
