"""The network trained in plain PyTorch loops: Lightning's measure, and the GPU variant."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch

from yupana.tasks.forecast.model import network_training
from yupana.tasks.forecast.model.network import POOLED, CountNetwork, Options

Make = Callable[[], CountNetwork]
OPTIONS = Options()


def loop(
    make: Make,
    train: network_training.Part,
    batch: network_training.Part,
    *,
    seed: int,
    epochs: int,
) -> float:
    """What `training.train` does and nothing around it; gives the last validation loss.

    The same order of rows, batches, dropped names, optimiser, its rate and clipping.
    """
    torch.manual_seed(seed)
    network = make()
    optimiser = _optimiser(network)
    order = torch.Generator().manual_seed(seed)
    steps = epochs * network_training.batches_of(len(train[0]))
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    now = float("nan")
    for _ in range(epochs):
        network.train()
        for rows in torch.randperm(len(train[0]), generator=order).split(network_training.BATCH):
            features, recent, district, counts = (t[rows] for t in train)
            unnamed = torch.rand(district.shape) < network_training.DISTRICT_DROPOUT
            districts = torch.where(unnamed, torch.full_like(district, POOLED), district)
            loss = network_training.negative_binomial_nll(
                *network(features, recent, districts), counts
            )
            _step(network, optimiser, loss)
            rate.step()
        now = _validate(network, batch)
    return now


def resident(
    make: Make, train: network_training.Part, held: network_training.Part, *, seed: int,
    epochs: int, device: str
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
    tensors = tuple(t.to(device) for t in held)

    def loss_of(features: Any, recent: Any, district: Any, counts: Any) -> torch.Tensor:
        unnamed = torch.rand(district.shape, device=device) < network_training.DISTRICT_DROPOUT
        districts = torch.where(unnamed, torch.full_like(district, POOLED), district)
        with torch.autocast(device, torch.bfloat16):
            mean, dispersion = network(features, recent, districts)
        # The likelihood's log-gammas cancel: bf16 would lose what is left of them.
        return network_training.negative_binomial_nll(mean.float(), dispersion.float(), counts)

    compiled = torch.compile(loss_of, mode="reduce-overhead") if device == "cuda" else loss_of
    steps = len(train[0]) // network_training.BATCH
    seconds_each, values = [], float("nan")
    for _ in range(epochs):
        began = time.perf_counter()
        network.train()
        rows = torch.randperm(len(train[0]), device=device)
        for batch in rows[: steps * network_training.BATCH].split(network_training.BATCH):
            _step(network, optimiser, compiled(*(t[batch] for t in mine)))
        values = _validate(network, tensors)
        seconds_each.append(time.perf_counter() - began)
    later = sorted(seconds_each[1:] or seconds_each)
    return {
        "val_nll": values,
        "seconds_first": round(seconds_each[0], 3),
        "seconds_epoch": round(later[len(later) // 2], 4),
        "rows": steps * network_training.BATCH,
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


def _validate(network: CountNetwork, batch: Any) -> float:
    """Mean loss of the held-out rows; the one place where the host waits for the device."""
    network.eval()
    with torch.no_grad():
        parts = zip(*(t.split(network_training.BATCH) for t in batch), strict=True)
        losses = [
            network_training.negative_binomial_nll(*network(f, r, d), c) * len(c) for f, r, d,
            c in parts
        ]
    return float(torch.stack(losses).sum()) / len(batch[0])
