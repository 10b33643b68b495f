"""The network trained in plain PyTorch loops: Lightning's measure, and the GPU variant."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from typing import Any

import torch

from models import training
from models.network import POOLED, CountNetwork, Options

Make = Callable[[], CountNetwork]
OPTIONS = Options()


def loop(make: Make, train: training.Part, held: training.Part, *, seed: int, epochs: int) -> float:
    """What `training.train` does and nothing around it; gives the best validation loss.

    The same order of rows, batches, dropped names, optimiser, clipping, and kept weights.
    """
    torch.manual_seed(seed)
    network = make()
    optimiser = _optimiser(network)
    order = torch.Generator().manual_seed(seed)
    best, weights = float("inf"), network.state_dict()
    for _ in range(epochs):
        network.train()
        for rows in torch.randperm(len(train[0]), generator=order).split(training.BATCH):
            features, recent, district, counts = (t[rows] for t in train)
            unnamed = torch.rand(district.shape) < training.DISTRICT_DROPOUT
            named = torch.where(unnamed, torch.full_like(district, POOLED), district)
            loss = training.negative_binomial_nll(*network(features, recent, named), counts)
            _step(network, optimiser, loss)
        now = _validate(network, held)
        if now < best:
            best, weights = now, copy.deepcopy(network.state_dict())
    network.load_state_dict(weights)
    return best


def resident(
    make: Make, train: training.Part, held: training.Part, *, seed: int, epochs: int, device: str
) -> dict[str, Any]:
    """All data on the device, bf16, compiled into CUDA graphs; the host waits once an epoch.

    Batches have one size, so that a graph fits all of them: an epoch leaves out a few rows.

    Returns:
        `val_nll`, `seconds_first` (compiles), `seconds_epoch` (median of the others), `rows`
        (an epoch).
    """
    torch.manual_seed(seed)
    network = make().to(device)
    optimiser = _optimiser(network, fused=device == "cuda")
    mine = tuple(t.to(device) for t in train)
    seen = tuple(t.to(device) for t in held)

    def loss_of(features: Any, recent: Any, district: Any, counts: Any) -> torch.Tensor:
        unnamed = torch.rand(district.shape, device=device) < training.DISTRICT_DROPOUT
        named = torch.where(unnamed, torch.full_like(district, POOLED), district)
        with torch.autocast(device, torch.bfloat16):
            mean, dispersion = network(features, recent, named)
        # The likelihood's log-gammas cancel: bf16 would lose what is left of them.
        return training.negative_binomial_nll(mean.float(), dispersion.float(), counts)

    compiled = torch.compile(loss_of, mode="reduce-overhead") if device == "cuda" else loss_of
    steps = len(train[0]) // training.BATCH
    taken, found = [], float("nan")
    for _ in range(epochs):
        began = time.perf_counter()
        network.train()
        rows = torch.randperm(len(train[0]), device=device)
        for batch in rows[: steps * training.BATCH].split(training.BATCH):
            _step(network, optimiser, compiled(*(t[batch] for t in mine)))
        found = _validate(network, seen)
        taken.append(time.perf_counter() - began)
    later = sorted(taken[1:] or taken)
    return {
        "val_nll": found,
        "seconds_first": round(taken[0], 3),
        "seconds_epoch": round(later[len(later) // 2], 4),
        "rows": steps * training.BATCH,
    }


def _optimiser(network: torch.nn.Module, fused: bool | None = None) -> torch.optim.Optimizer:
    return torch.optim.AdamW(
        network.parameters(),
        lr=OPTIONS.learning_rate,
        weight_decay=OPTIONS.weight_decay,
        fused=fused,
    )


def _step(network: torch.nn.Module, optimiser: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()
    # Before the next forward pass: a captured graph writes its gradients to the same memory.
    optimiser.zero_grad()


def _validate(network: CountNetwork, held: Any) -> float:
    """Mean loss of the held-out rows; the one place where the host waits for the device."""
    network.eval()
    with torch.no_grad():
        parts = zip(*(t.split(training.BATCH) for t in held), strict=True)
        losses = [
            training.negative_binomial_nll(*network(f, r, d), c) * len(c) for f, r, d, c in parts
        ]
    return float(torch.stack(losses).sum()) / len(held[0])
