"""The training benchmark's own parts, on a size for every test run (no GPU)."""

from __future__ import annotations

import pytest
import torch

from tests.benchmark import bare, train
from yupana.tasks.forecast.model.network_training import BATCH


@pytest.fixture(scope="module")
def parts() -> train.Parts:
    return train.synthetic(20, 120)


def test_counts_lie_ahead_of_their_features(parts: train.Parts) -> None:
    features, recent, district, counts = parts[0]
    assert features.shape == (20 * 108, train.FEATURES) and counts.shape == (20 * 108, 8)
    # The next row's newest lag is this row's first count, inside a district.
    newest = features[1:108, train.LAGS - 1]
    assert torch.allclose(newest.expm1(), counts[:107, 0], atol=1e-3)
    assert torch.allclose(recent[0].expm1(), features[0, 8:12].expm1().mean(), atol=1e-3)
    assert district.unique().tolist() == list(range(1, 21))


def test_both_loops_learn_the_same(parts: train.Parts) -> None:
    ours = train.lightning(20, parts, 3)
    plain = bare.loop(train.maker(20), *parts, seed=train.SEED, epochs=3)
    untrained = bare.loop(train.maker(20), *parts, seed=train.SEED, epochs=1)
    assert abs(ours / plain - 1) < 0.01 and plain < untrained


def test_the_resident_loop_learns_without_a_gpu(parts: train.Parts) -> None:
    run = bare.resident(train.maker(20), *parts, seed=train.SEED, epochs=3, device="cpu")
    plain = bare.loop(train.maker(20), *parts, seed=train.SEED, epochs=3)
    assert abs(run["val_nll"] / plain - 1) < 0.05
    assert run["rows"] == 20 * 108 // BATCH * BATCH and run["seconds_epoch"] > 0


def test_without_a_gpu_the_variant_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert "no CUDA device" in train.gpu(lambda _: None)["skipped"]


def test_ratios_are_against_the_targets() -> None:
    side = {"lightning": {"seconds": 2.2, "cpu_seconds": 1.0}}
    side["bare"] = {"seconds": 2.0, "cpu_seconds": 1.0}
    grown = [{"series": n, "seconds": s, "cpu_seconds": s} for n, s in ((100, 1), (10_000, 80))]
    found = train.ratios({"overhead": side, "scaling": grown})
    assert [r["value"] for r in found] == [1.1, 0.8, 1.0, 0.8]
