"""The training loop of `CountNetwork`: Lightning on CPU, early stopping, best weights kept."""

from __future__ import annotations

import copy
import logging
import time
import warnings
from collections.abc import Callable
from typing import Any

import pytorch_lightning as pl
import torch
from torch import nn
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, TensorDataset

from models.network import POOLED, CountNetwork

EPOCHS = 12
PATIENCE = 4
BATCH = 512
LEARNING_RATE = 1e-3
DISTRICT_DROPOUT = 0.1

Part = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]
"""Features (rows, features), log1p recent mean (rows,), district (rows,), counts (rows, horizons);
a count that is not known yet is NaN."""


def negative_binomial_nll(
    log_mean: torch.Tensor, log_dispersion: torch.Tensor, counts: torch.Tensor
) -> torch.Tensor:
    """Mean negative log-likelihood in nats over the counts that are known (not NaN)."""
    known = ~counts.isnan()
    counts = torch.where(known, counts, torch.zeros_like(counts))
    size = (-log_dispersion).exp()
    # log p and log(1 - p) from log-odds, so that neither underflows.
    odds = log_mean + log_dispersion
    log_likelihood = (
        torch.lgamma(counts + size) - torch.lgamma(size) - torch.lgamma(counts + 1)
        - size * nn.functional.softplus(odds)
        - counts * nn.functional.softplus(-odds)
    )  # fmt: skip
    return -(log_likelihood * known).sum() / known.sum().clamp(min=1)


class CountModule(pl.LightningModule):
    """Likelihood training of a `CountNetwork`."""

    def __init__(self, network: CountNetwork) -> None:
        super().__init__()
        self.network = network
        self.sums = {"train": [0.0, 0], "val": [0.0, 0]}

    def _loss(self, batch: Part, part: str) -> torch.Tensor:
        features, recent, district, counts = batch
        if part == "train":
            # Some rows lose their name, so that the pooled row learns a district never seen.
            unnamed = torch.rand(district.shape) < DISTRICT_DROPOUT
            district = torch.where(unnamed, torch.full_like(district, POOLED), district)
        loss = negative_binomial_nll(*self.network(features, recent, district), counts)
        self.sums[part][0] += float(loss.detach()) * len(counts)
        self.sums[part][1] += len(counts)
        return loss

    def training_step(self, batch: Part, _: int) -> torch.Tensor:
        """Loss of one batch."""
        return self._loss(batch, "train")

    def validation_step(self, batch: Part, _: int) -> torch.Tensor:
        """Loss of one batch, no district hidden."""
        return self._loss(batch, "val")

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW."""
        return torch.optim.AdamW(self.parameters(), lr=LEARNING_RATE, weight_decay=1e-3)

    def mean_loss(self, part: str) -> float:
        """Mean loss of a part since it was last asked for."""
        total, rows = self.sums[part]
        self.sums[part] = [0.0, 0]
        return total / max(rows, 1)


class KeepBest(pl.Callback):
    """Keeps the weights of the best epoch, says each epoch, stops when none is better.

    Without validation rows to choose by, the last epoch is kept.
    """

    def __init__(self, say: Callable[[str], None], chooses: bool) -> None:
        self._say, self._chooses = say, chooses
        self.curve: list[dict[str, float]] = []
        self.best_epoch, self.best = 0, float("inf")
        self.weights: dict[str, torch.Tensor] = {}

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Lightning runs validation before this hook, so both losses are of the same epoch."""
        epoch = trainer.current_epoch + 1
        train, validation = module.mean_loss("train"), module.mean_loss("val")
        self.curve.append({"epoch": epoch, "train_nll": train, "val_nll": validation})
        if validation < self.best or not self._chooses:
            self.best_epoch, self.best = epoch, validation
            self.weights = copy.deepcopy(module.network.state_dict())
        trainer.should_stop = epoch - self.best_epoch >= PATIENCE
        loss = f"val_nll={validation:.4f}" if self._chooses else f"train_nll={train:.4f}"
        self._say(f"epoch {epoch}/{trainer.max_epochs} {loss}")


def _batches(part: Part, seed: int | None) -> DataLoader[Any]:
    """Batches by index: collating single rows would cost more than the network."""
    data = TensorDataset(*part)
    order: Any = range(len(data))
    if seed is not None:
        order = RandomSampler(data, generator=torch.Generator().manual_seed(seed))
    return DataLoader(data, sampler=BatchSampler(order, BATCH, False), batch_size=None)


def train(
    make: Callable[[], CountNetwork],
    training: Part,
    validation: Part | None,
    *,
    seed: int,
    say: Callable[[str], None],
    epochs: int = EPOCHS,
) -> tuple[CountNetwork, dict[str, Any]]:
    """Fit a network and hand back the weights of its best epoch.

    Args:
        make: builds the network, called after the seed is set.
        training: tensors that the weights are fitted on.
        validation: tensors that choose the epoch; without them the last epoch is kept.
        seed: seed of weights, order and dropout.
        say: told of every epoch.

    Returns:
        The network, and `curve` (a list by epoch), `best_epoch`, `val_nll` (nats a count),
        `epochs`, `seconds`.
    """
    for name in ("lightning", "pytorch_lightning", "lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    start = time.monotonic()
    pl.seed_everything(seed, verbose=False)
    keeper, module = KeepBest(say, validation is not None), CountModule(make())
    with warnings.catch_warnings():
        # Lightning advises worker processes; the data is already in memory.
        warnings.simplefilter("ignore")
        trainer = pl.Trainer(
            accelerator="cpu", devices=1, max_epochs=epochs, deterministic=True,
            gradient_clip_val=1.0, callbacks=[keeper], logger=False, num_sanity_val_steps=0,
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        )  # fmt: skip
        held = None if validation is None else _batches(validation, None)
        trainer.fit(module, _batches(training, seed), held)
    module.network.load_state_dict(keeper.weights)
    return module.network, {
        "curve": keeper.curve,
        "best_epoch": keeper.best_epoch,
        "val_nll": keeper.best,
        "epochs": len(keeper.curve),
        "seconds": round(time.monotonic() - start, 2),
    }
