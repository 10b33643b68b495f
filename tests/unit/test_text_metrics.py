"""Scores of classifiers against values counted by hand and scikit-learn's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

from yupana.tasks.classify.scoring import metrics
from yupana.tasks.classify.scoring.metrics import Predictions

LABELS = ("agua", "luz", "ruido")


def predictions(truth: str, label: str, confidence: Sequence[float] = ()) -> Predictions:
    """Labels by their first letters: `predictions("aal", "all")`."""
    by = {name[0]: name for name in LABELS}
    sure = np.array(confidence) if confidence else np.full(len(truth), 0.5)
    one, other = (np.array([by[c] for c in word], object) for word in (truth, label))
    return Predictions(one, other, sure)


def random_predictions(seed: int, n: int = 400) -> Predictions:
    random = np.random.default_rng(seed)
    truth = random.choice(np.array(LABELS, object), n)
    guess = random.choice(np.array(LABELS, object), n)
    return Predictions(
        truth, np.where(random.random(n) < 0.6, truth, guess), random.uniform(0.2, 1, n)
    )


def test_the_mean_of_f1_by_hand() -> None:
    # agua: right 2 of 2 told and 3 there; luz: 1 of 2 and 1; ruido: 0 of 1 and 1.
    of = predictions("aaalr", "aarll")
    by = metrics.by_label(of, LABELS)
    assert vars(by["agua"]) == pytest.approx({"n": 3, "precision": 1, "recall": 2 / 3, "f1": 0.8})
    assert vars(by["luz"]) == pytest.approx({"n": 1, "precision": 0.5, "recall": 1, "f1": 2 / 3})
    assert vars(by["ruido"]) == pytest.approx({"n": 1, "precision": 0, "recall": 0, "f1": 0})
    assert metrics.macro_f1(of, LABELS) == pytest.approx((0.8 + 2 / 3) / 3)


def test_a_label_of_which_there_is_no_text_does_not_lower_the_mean() -> None:
    of = predictions("aal", "aal")
    assert metrics.macro_f1(of, LABELS) == 1
    assert metrics.by_label(of, LABELS)["ruido"].f1 == 0


@pytest.mark.parametrize("seed", range(5))
def test_scores_are_those_of_scikit_learn(seed: int) -> None:
    of = random_predictions(seed)
    assert metrics.accuracy(of) == pytest.approx(accuracy_score(of.truth, of.label))
    theirs = f1_score(of.truth, of.label, labels=list(LABELS), average="macro")
    assert metrics.macro_f1(of, LABELS) == pytest.approx(theirs)
    columns = precision_recall_fscore_support(of.truth, of.label, labels=list(LABELS))
    for label, *values in zip(LABELS, *columns, strict=True):
        mine = metrics.by_label(of, LABELS)[label]
        assert [mine.precision, mine.recall, mine.f1, mine.n] == pytest.approx(values)


def test_calibration_error_by_hand() -> None:
    # Bin 0.9: mean 0.95, half right, two of four rows; bin 0.6: 0.6, none right; bin 0.2: 0.2, all.
    of = predictions("aaaa", "alla", [0.96, 0.94, 0.6, 0.2])
    assert metrics.calibration_error(of) == pytest.approx((0.45 * 2 + 0.6 + 0.8) / 4)


def test_a_confidence_of_one_is_in_the_last_bin_and_right_is_no_error() -> None:
    assert metrics.calibration_error(predictions("aa", "aa", [1.0, 1.0])) == 0
    random = np.random.default_rng(1)
    sure = random.uniform(0, 1, 50_000)
    label = np.where(random.random(50_000) < sure, "agua", "luz").astype(object)
    of = Predictions(np.full(50_000, "agua", object), label, sure)
    assert metrics.calibration_error(of) < 0.02


def test_accuracy_of_the_surest() -> None:
    of = predictions("aaaal", "aalll", [0.9, 0.8, 0.3, 0.2, 0.7])
    assert metrics.accuracy_at(of, 1.0) == pytest.approx(3 / 5)
    assert metrics.accuracy_at(of, 0.6) == 1
    assert metrics.accuracy_at(of, 0.8) == pytest.approx(3 / 4)
    assert metrics.accuracy_at(of, 0.01) == 1, "one text at least"
    even = predictions("aal", "ala", [0.5, 0.5, 0.5])
    assert metrics.accuracy_at(even, 1 / 3) == 1, "of even ones the first"


def test_an_interval_is_over_groups() -> None:
    # 20 groups of 30 texts that are right or wrong together: there are 20 trials, not 600.
    right = np.repeat(np.arange(20) % 2 == 0, 30)
    truth = np.full(600, "agua", object)
    of = Predictions(truth, np.where(right, "agua", "luz").astype(object), np.full(600, 0.5))

    def accuracy(values: Sequence[Predictions]) -> float:
        return metrics.accuracy(values[0])

    low, high = metrics.interval([of], np.repeat(np.arange(20), 30), accuracy)
    exact = 1.96 * np.sqrt(0.25 / 20)
    assert (low, high) == pytest.approx((0.5 - exact, 0.5 + exact), abs=0.05)
    narrow = metrics.interval([of], np.arange(600), accuracy)
    assert narrow[1] - narrow[0] < (high - low) / 4
    again = metrics.interval([of], np.repeat(np.arange(20), 30), accuracy)
    assert again == (low, high), "the same seed draws the same"


def test_of_a_pair_the_same_groups_are_drawn() -> None:
    of = random_predictions(3)

    def difference(values: Sequence[Predictions]) -> float:
        return metrics.accuracy(values[0]) - metrics.accuracy(values[1])

    assert metrics.interval([of, of], np.arange(400) // 20, difference) == (0, 0)
