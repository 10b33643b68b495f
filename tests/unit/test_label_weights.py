"""One label and weight a text, of all that anybody says of it."""

from __future__ import annotations

from itertools import permutations

import pytest

from yupana.tasks.classify.labelling.labels import Label
from yupana.tasks.classify.labelling.weights import TrainingLabel, training_labels

FUNCTION = Label("t", "water", "function", "water@1", 0.8)
MODEL = Label("t", "light", "model", "label_model@1", 0.7)
CLERK = Label("t", "noise", "clerk", "person:1")
REVIEWER = Label("t", "water", "reviewer", "person:2")


@pytest.mark.parametrize(
    ("labels", "publisher", "expected"),
    [
        ([FUNCTION], None, ("water", 0.8, "function")),
        ([FUNCTION, MODEL], None, ("light", 0.7 * 2 / 3, "model")),
        ([FUNCTION, MODEL], "trees", ("trees", 4 / 7, "publisher")),
        ([MODEL], "light", ("light", 1, "publisher")),
        ([FUNCTION, MODEL, CLERK], "trees", ("noise", 8 / 15, "clerk")),
        ([FUNCTION, MODEL, CLERK, REVIEWER], "trees", ("water", 17 / 31, "reviewer")),
        ([REVIEWER], None, ("water", 1, "reviewer")),
        ([REVIEWER, REVIEWER._replace(author="person:3")], "water", ("water", 1, "reviewer")),
        # Two reviewers, two labels: what others say decides, and it weighs less.
        ([REVIEWER, Label("t", "air", "reviewer", "person:3")], "water",
         ("water", 12 / 20, "reviewer")),
        ([REVIEWER, Label("t", "air", "reviewer", "person:3")], None, ("air", 0.5, "reviewer")),
        ([REVIEWER._replace(confidence=0)], "trees", ("trees", 1, "publisher")),
    ],
)  # fmt: skip
def test_who_decides_and_what_it_weighs(
    labels: list[Label], publisher: str | None, expected: tuple[str, float, str]
) -> None:
    answers = {tuple(training_labels(order, {"t": publisher})) for order in permutations(labels)}
    [[answer]] = answers
    assert answer == TrainingLabel("t", expected[0], pytest.approx(expected[1], abs=1e-6),
                                   expected[2])  # fmt: skip


def test_texts_stand_by_entity_and_those_without_a_label_do_not() -> None:
    withdrawn = Label("e", "x", "function", "f@1", 0)
    labels = [FUNCTION, MODEL._replace(entity="a"), withdrawn]
    result = training_labels(labels, {"b": "noise", "d": None, "c": ""})
    assert [one.entity for one in result] == ["a", "b", "t"]
    assert all(0 < one.weight <= 1 for one in result)
