"""The label model on votes whose accuracies are known, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from yupana.tasks.classify.labelling import label_model, votes
from yupana.tasks.classify.labelling.functions import Function
from yupana.tasks.classify.labelling.votes import ABSTAINS, Votes

LABELS = ("a", "b", "c", "d")
ACCURACIES, COVERAGES = (0.9, 0.85, 0.6, 0.55, 0.52, 0.75), (0.5, 0.4, 0.7, 0.8, 0.7, 0.5)
BALANCE = (0.4, 0.3, 0.2, 0.1)


def of(matrix: np.ndarray) -> Votes:
    functions = tuple(
        Function(f"f{n}", 1, "", votes=lambda *_: []) for n in range(matrix.shape[1])
    )
    return Votes(tuple(map(str, range(len(matrix)))), functions, LABELS, matrix.astype(np.int16))


def synthetic(
    accuracies: Sequence[float], coverages: Sequence[float], texts: int = 3000, seed: int = 3
) -> tuple[np.ndarray, np.ndarray]:
    """Votes of independent functions, and the true labels."""
    random = np.random.default_rng(seed)
    truth = random.choice(len(LABELS), texts, p=BALANCE)
    wrong = (truth[:, None] + random.integers(1, len(LABELS), (texts, len(accuracies)))) % 4
    right = random.random((texts, len(accuracies))) < np.array(accuracies)
    cast = random.random((texts, len(accuracies))) < np.array(coverages)
    return np.where(cast, np.where(right, truth[:, None], wrong), ABSTAINS), truth


def share_right(labels: Sequence[str | None], truth: np.ndarray) -> float:
    return float(np.mean([label == LABELS[t] for label, t in zip(labels, truth, strict=True)]))


def test_accuracies_and_balance_are_recovered() -> None:
    matrix, _ = synthetic(ACCURACIES, COVERAGES)
    model = label_model.fit(of(matrix), 1)
    assert list(model.accuracies.values()) == pytest.approx(ACCURACIES, abs=0.04)
    assert list(model.balance.values()) == pytest.approx(BALANCE, abs=0.03)


def test_it_beats_the_majority_and_knows_how_sure_it_is() -> None:
    matrix, truth = synthetic(ACCURACIES, COVERAGES)
    model = label_model.fit(of(matrix), 1)
    mine = share_right([LABELS[i] for i in model.probabilities.argmax(axis=1)], truth)
    assert mine > share_right(votes.majority(of(matrix)), truth) + 0.1
    sure = model.probabilities.max(axis=1)
    assert sure.mean() == pytest.approx(mine, abs=0.02)
    for low, high in ((0.4, 0.7), (0.7, 0.9), (0.9, 1.01)):
        part = (sure >= low) & (sure < high)
        hits = model.probabilities[part].argmax(axis=1) == truth[part]
        assert sure[part].mean() == pytest.approx(hits.mean(), abs=0.06)


def test_five_copies_do_not_outvote_two_better_functions() -> None:
    matrix, _ = synthetic((0.6, 0.85, 0.85), (1.0, 1.0, 1.0))
    copies = np.hstack([matrix[:, [0]]] * 5 + [matrix[:, 1:]])
    model = label_model.fit(of(copies), 1)
    assert model.copies == (("f0@1", "f1@1", "f2@1", "f3@1", "f4@1"),)
    assert model.accuracies["f0@1"] == model.accuracies["f4@1"] < model.accuracies["f5@1"]
    assert np.allclose(model.probabilities, label_model.fit(of(matrix), 1).probabilities)
    both = (matrix[:, 1] == matrix[:, 2]) & (matrix[:, 0] != matrix[:, 1])
    assert (model.probabilities[both].argmax(axis=1) == matrix[both, 1]).all()


def test_nearly_the_same_votes_are_named() -> None:
    matrix, _ = synthetic((0.8, 0.8, 0.8), (0.6, 0.6, 0.6))
    near = np.hstack([matrix, matrix[:, [0]]])
    near[:10, 3] = ABSTAINS
    assert label_model.fit(of(near), 1).near_copies == (("f0@1", "f3@1"),)


def test_the_same_votes_and_seed_give_the_same_model() -> None:
    matrix, _ = synthetic(ACCURACIES, COVERAGES, texts=300)
    one, again = (label_model.fit(of(matrix), 7) for _ in range(2))
    assert one.accuracies == again.accuracies
    order = np.random.default_rng(0).permutation(len(matrix))
    turned = label_model.fit(of(matrix[order]), 7)
    assert np.allclose(turned.probabilities, one.probabilities[order], atol=1e-6)


def test_abstaining_says_nothing() -> None:
    """A text without a vote is as probable as the balance, whoever abstains."""
    matrix, _ = synthetic(ACCURACIES, COVERAGES)
    matrix[:7] = ABSTAINS
    model = label_model.fit(of(matrix), 1)
    assert not model.covered[:7].any() and model.covered.any()
    assert np.allclose(model.probabilities[:7], list(model.balance.values()))


def test_functions_of_one_label_each_do_not_let_a_label_die_out() -> None:
    """Two labels whose functions contradict each other most of the time: neither takes all."""
    matrix = np.full((900, 3), ABSTAINS)
    matrix[:500, 0] = 0
    matrix[450:900, 1] = 1
    matrix[100:600, 2] = 2
    model = label_model.fit(of(matrix), 1)
    assert set(model.balance.values()) == {0.25}
    assert min(model.accuracies.values()) >= 0.5
    assert set(model.probabilities[[0, 800]].argmax(axis=1)) == {0, 1}


@pytest.mark.parametrize("matrix", [
    np.full((0, 2), ABSTAINS), np.full((5, 2), ABSTAINS), np.zeros((5, 1)),
])  # fmt: skip
def test_votes_of_which_nothing_can_be_learned(matrix: np.ndarray) -> None:
    model = label_model.fit(of(matrix), 1)
    assert model.probabilities.shape == (len(matrix), 4)
    assert np.isfinite(model.probabilities).all() and not model.copies


def test_the_majority_of_even_votes_is_none() -> None:
    matrix = np.array([[0, 0, 1], [0, 1, ABSTAINS], [ABSTAINS] * 3])
    assert votes.majority(of(matrix)) == ["a", None, None]


def test_it_is_as_good_as_snorkels() -> None:
    snorkel = pytest.importorskip(
        "snorkel.labeling.model", reason="snorkel is not in the lock: docs/labelling.md"
    )
    matrix, truth = synthetic(ACCURACIES, COVERAGES)
    theirs = snorkel.LabelModel(cardinality=4, verbose=False)
    theirs.fit(matrix, n_epochs=500, seed=1)
    mine = label_model.fit(of(matrix), 1).probabilities.argmax(axis=1)
    assert (mine == truth).mean() > (theirs.predict(matrix) == truth).mean() - 0.01
