"""The network's dropout, which draws a byte for each unit."""

from __future__ import annotations

import pytest
import torch

from yupana.tasks.forecast.model.network import ByteDropout


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_its_share_of_units_is_left_out_and_the_mean_stays(share: float) -> None:
    torch.manual_seed(17)
    hidden = torch.ones(997, 101, requires_grad=True)
    passed = ByteDropout(share)(hidden)
    assert (passed == 0).float().mean().item() == pytest.approx(share, abs=0.006)
    assert passed.mean().item() == pytest.approx(1, abs=0.02)
    # Each unit alone, in the rows as in the columns.
    assert (passed == 0).float().mean(0).std() < 0.03
    passed.sum().backward()
    assert hidden.grad is not None and torch.equal(hidden.grad, passed.detach())


def test_nothing_is_left_out_of_a_forecast() -> None:
    hidden = torch.ones(4, 4)
    assert torch.equal(ByteDropout(0.5).eval()(hidden), hidden)
    assert torch.equal(ByteDropout(0.0)(hidden), hidden)


def test_the_seed_decides() -> None:
    masks = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        masks.append(ByteDropout(0.5)(torch.ones(64, 8)))
    assert torch.equal(masks[0], masks[1]) and not torch.equal(masks[0], masks[2])
