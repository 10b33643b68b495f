"""Which callers a challenger answers: the same ones while its share stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from yupana.gate.gate import Standing
from yupana.serving.deployment import Deployment, Model
from yupana.serving.training_ranges import TrainingRanges

KEYS = [f"{n:012x}" for n in range(4000)]


def answered(share: float, tag: str = "a:2") -> set[str]:
    model = Model(tag, "2", Path(), None, TrainingRanges({}), "")
    deployment = Deployment(model, None, Standing(True), share)
    return {key for key in KEYS if deployment.answers_to(key)}


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_a_share_of_the_callers_is_answered(share: float) -> None:
    assert len(answered(share)) == pytest.approx(share * len(KEYS), abs=150)
    assert answered(share) == answered(share)


def test_a_share_that_grows_adds_callers_and_moves_none() -> None:
    assert answered(0.1) < answered(0.2) < answered(0.6)


def test_another_challenger_begins_with_others() -> None:
    assert len(answered(0.1) & answered(0.1, "a:3")) < 100
