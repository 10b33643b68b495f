"""The training loop of `CountNetwork`: Lightning, a fixed number of steps, the last weights kept.

No held-out weeks choose when to stop: one year is another season than the next, and where it was
quiet it stopped a training on the whole country at its first pass. The learning rate falls along a
cosine (Loshchilov, Hutter 2017, ICLR) to nothing instead.

On a GPU where there is one: the data moves there once, and the host waits once an epoch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytorch_lightning as pl
import torch
from torch import nn

from yupana.tasks.forecast.model.network import POOLED, CountNetwork, Options
from yupana.training.lightning import small_network

BATCH = 1024
EFFORT = 3
"""Optimiser steps for each root of the number of rows: ten times the rows take three times as
many, in a third of the passes."""

DISTRICT_DROPOUT = 0.1
CLIP = 1.0
CHUNK = 32
"""Batches in one Lightning step: its hooks take nearly a fifth of a batch of this network."""

Part = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]
"""Features (rows, features), log1p recent mean (rows,), district (rows,), counts (rows, horizons);
a count that is not known yet is NaN."""


def negative_binomial_nll(
    log_mean: torch.Tensor, log_dispersion: torch.Tensor, counts: torch.Tensor
) -> torch.Tensor:
    """Mean negative log-likelihood in nats over the counts that are known (not NaN)."""
    finite = ~counts.isnan()
    counts = torch.where(finite, counts, torch.zeros_like(counts))
    size = (-log_dispersion).exp()
    # log p and log(1 - p) from log-odds, so that neither underflows.
    odds = log_mean + log_dispersion
    log_likelihood = (
        torch.lgamma(counts + size) - torch.lgamma(size) - torch.lgamma(counts + 1)
        - size * nn.functional.softplus(odds)
        - counts * nn.functional.softplus(-odds)
    )  # fmt: skip
    return -(log_likelihood * finite).sum() / finite.sum().clamp(min=1)


Watch = Callable[[int, float], None]
"""Told of the epoch and its validation loss (nats a count); may raise to end the training."""


class CountModule(pl.LightningModule):
    """Likelihood training of a `CountNetwork`."""

    def __init__(self, network: CountNetwork, options: Options, steps: int) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.network, self.options, self.steps = network, options, steps
        self.losses: dict[str, list[tuple[torch.Tensor, int]]] = {"train": [], "val": []}

    def _loss(self, batch: Part, part: str) -> torch.Tensor:
        features, recent, district, counts = batch
        if part == "train":
            # Some rows lose their name, so that the pooled row learns a district never seen.
            unnamed = torch.rand(district.shape, device=district.device) < DISTRICT_DROPOUT
            district = torch.where(unnamed, torch.full_like(district, POOLED), district)
        mean, spread = self.network(features, recent, district)
        loss = negative_binomial_nll(mean, spread, counts)
        self.losses[part].append((loss.detach(), len(counts)))
        return loss

    def training_step(self, chunk: list[Part], _: int) -> None:
        """One optimiser step a batch of the chunk."""
        optimiser: Any = self.optimizers(use_pl_optimizer=False)
        schedule: Any = self.lr_schedulers()
        for batch in chunk:
            loss = self._loss(batch, "train")
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.parameters(), CLIP)
            optimiser.step()
            schedule.step()

    def validation_step(self, chunk: list[Part], _: int) -> None:
        """Losses of a chunk, no district hidden."""
        for batch in chunk:
            self._loss(batch, "val")

    def configure_optimizers(self) -> Any:
        """AdamW, its rate along half a cosine."""
        rate, decay = self.options.learning_rate, self.options.weight_decay
        optimiser = torch.optim.AdamW(
            self.parameters(), lr=rate, weight_decay=decay, fused=True
        )
        return [optimiser], [torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, self.steps)]

    def mean_loss(self, part: str) -> float:
        """Mean loss of a part since it was last asked for; NaN without rows."""
        pairs, self.losses[part] = self.losses[part], []
        if not pairs:
            return math.nan
        losses, rows = torch.stack([loss for loss, _ in pairs]), [float(n) for _, n in pairs]
        return float(losses.cpu().double() @ torch.tensor(rows).double() / sum(rows))


class Losses(pl.Callback):
    """Keeps the losses of each epoch, and says them."""

    def __init__(self, say: Callable[[str], None], watch: Watch | None) -> None:
        self._say, self._watch = say, watch
        self.curve: list[dict[str, float]] = []

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Lightning runs validation before this hook, so both losses are of the same epoch."""
        epoch = trainer.current_epoch + 1
        train, validation = module.mean_loss("train"), module.mean_loss("val")
        point = {"epoch": epoch, "train_nll": train, "val_nll": validation}
        self.curve.append({k: v for k, v in point.items() if not math.isnan(v)})
        text = ", ".join(f"{k}={v:.4f}" for k, v in self.curve[-1].items() if k != "epoch")
        self._say(f"epoch {epoch}/{trainer.max_epochs} {text}")
        if self._watch:
            self._watch(epoch, validation)


class Chunks:
    """Batches cut from tensors, `CHUNK` at a time: a DataLoader would pick them row by row."""

    def __init__(self, part: Part, seed: int | None) -> None:
        self._part = part
        self._order = None if seed is None else torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        return -(-len(self._part[0]) // (BATCH * CHUNK))

    def __iter__(self) -> Iterator[list[Part]]:
        rows = torch.arange(len(self._part[0]))
        if self._order is not None:
            rows = torch.randperm(len(rows), generator=self._order)
        batches = rows.split(BATCH)
        for start in range(0, len(batches), CHUNK):
            chunk = batches[start : start + CHUNK]
            yield [tuple(t[of] for t in self._part) for of in chunk]


def _at(part: Part, device: str) -> Part:
    features, recent, district, counts = part
    return features.to(device), recent.to(device), district.to(device), counts.to(device)


def batches_of(rows: int) -> int:
    """Optimiser steps of one pass over so many rows."""
    return -(-rows // BATCH)


def epochs_for(rows: int) -> int:
    """Passes over so many rows."""
    return math.ceil(EFFORT * math.sqrt(rows) / batches_of(rows))


def train(
    make: Callable[[], CountNetwork],
    training: Part,
    validation: Part | None,
    *,
    seed: int,
    say: Callable[[str], None],
    options: Options,
    epochs: int | None = None,
    watch: Watch | None = None,
) -> tuple[CountNetwork, list[dict[str, float]]]:
    """Fit a network.

    Args:
        make: builds the network, called after the seed is set.
        training: tensors that the weights are fitted on.
        validation: tensors whose loss is told of each epoch; they choose nothing.
        seed: seed of weights, order and dropout.
        say: told of every epoch.
        options: what tuning may choose.
        epochs: passes over the rows; None: `epochs_for` their number.
        watch: told of every validation loss.

    Returns:
        The network, and its losses by epoch: `epoch`, `train_nll`, with validation rows `val_nll`,
        nats a count.
    """
    epochs = epochs or epochs_for(len(training[0]))
    pl.seed_everything(seed, verbose=False)
    losses = Losses(say, watch)
    module = CountModule(make(), options, epochs * batches_of(len(training[0])))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with small_network():
        trainer = pl.Trainer(
            accelerator=device, devices=1, max_epochs=epochs, deterministic=True,
            callbacks=[losses], logger=False, num_sanity_val_steps=0,
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        )  # fmt: skip
        checks = None if validation is None else Chunks(_at(validation, device), None)
        trainer.fit(module, Chunks(_at(training, device), seed), checks)
    return module.network.cpu(), losses.curve
