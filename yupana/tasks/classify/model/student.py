"""The student: a linear classifier over the mean of hashed words' vectors (fastText's shape: Joulin
et al. 2017, EACL), which learns from labels and from what the encoder's head says of the texts.

It takes a fraction of a millisecond a text where the encoder takes some tens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import nn

from yupana.tasks.classify.model import words
from yupana.training.lightning import small_network

WIDTH = 16
BATCH = 256
EPOCHS = 5
LEAST_STEPS = 60
"""Of the optimiser: with few texts more passes are made."""

RATE = 0.02
WEIGHT_DECAY = 0.01
TAUGHT = 0.3
"""Share of the loss that compares with the teacher's probabilities; the rest is the labels'."""

Array = np.ndarray[Any, np.dtype[Any]]
Bag = tuple[torch.Tensor, torch.Tensor]
"""The buckets of all texts in a row, and where each text begins."""


class StudentNetwork(nn.Module):
    """Logits of labels from bags of buckets."""

    def __init__(self, labels: int) -> None:
        super().__init__()
        # Sparse: a batch touches a small part of the buckets.
        self.bag = nn.EmbeddingBag(words.BUCKETS, WIDTH, mode="mean", sparse=True)
        nn.init.normal_(self.bag.weight, std=0.1)
        self.out = nn.Linear(WIDTH, labels)

    def forward(self, numbers: torch.Tensor, starts: torch.Tensor) -> torch.Tensor:
        """Shape (texts, labels)."""
        logits: torch.Tensor = self.out(self.bag(numbers, starts))
        return logits


class StudentModule(pl.LightningModule):
    """Weighted cross entropy with the labels and, where there is a teacher, with it."""

    def __init__(self, network: StudentNetwork, steps: int) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.network, self.steps = network, steps
        self.losses: list[float] = []

    def training_step(self, batch: dict[str, torch.Tensor], _: int) -> None:
        """A step of both optimisers on a batch; the loss is in nats a text."""
        log = self.network(batch["numbers"], batch["starts"]).log_softmax(dim=1)
        loss = -(batch["target"] * log).sum(dim=1)
        mean = (loss * batch["weight"]).sum() / batch["weight"].sum()
        self.losses.append(float(mean.detach()))
        optimisers: Any = self.optimizers(use_pl_optimizer=False)
        for optimiser in optimisers:
            optimiser.zero_grad()
        mean.backward()
        schedules: Any = self.lr_schedulers()
        for part in (*optimisers, *schedules):
            part.step()

    def configure_optimizers(self) -> Any:
        """Adam for the sparse vectors, AdamW for the rest, their rates along half a cosine."""
        optimisers = [
            torch.optim.SparseAdam(self.network.bag.parameters(), lr=RATE),
            torch.optim.AdamW(self.network.out.parameters(), lr=RATE, weight_decay=WEIGHT_DECAY),
        ]
        cosine = torch.optim.lr_scheduler.CosineAnnealingLR
        return optimisers, [cosine(optimiser, self.steps) for optimiser in optimisers]


class _Batches:
    """Batches of texts in another order at each pass."""

    def __init__(self, bags: list[Array], target: Array, weight: Array, seed: int) -> None:
        self._bags, self._target, self._weight = bags, target, weight
        self._order = np.random.default_rng(seed)

    def __len__(self) -> int:
        return -(-len(self._bags) // BATCH)

    def __iter__(self) -> Any:
        order = self._order.permutation(len(self._bags))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            numbers, starts = bag([self._bags[row] for row in rows])
            yield {
                "numbers": numbers, "starts": starts,
                "target": torch.from_numpy(self._target[rows]),
                "weight": torch.from_numpy(self._weight[rows]),
            }  # fmt: skip


def bag(bags: Sequence[Array]) -> Bag:
    """Bags as the network reads them."""
    starts = np.cumsum([0, *(len(one) for one in bags[:-1])])
    return torch.from_numpy(np.concatenate(bags)), torch.from_numpy(starts.astype(np.int64))


def train(
    texts: Sequence[str], labels: Array, weight: Array, teacher: Array | None, *, count: int,
    seed: int, say: Callable[[str], None],
) -> StudentNetwork:  # fmt: skip
    """Fit a student.

    Args:
        texts: what is read; `labels`: number of the label of each (texts,).
        weight: of each text in the loss (texts,).
        teacher: probabilities by label (texts, count) of a model that has not seen the text's
            group; None: the labels alone.
        count: of labels.
    """
    target = np.eye(count, dtype=np.float32)[labels]
    if teacher is not None:
        target = (TAUGHT * teacher + (1 - TAUGHT) * target).astype(np.float32)
    batches = _Batches(
        [words.numbers(text) for text in texts], target, weight.astype(np.float32), seed
    )
    epochs = max(EPOCHS, -(-LEAST_STEPS // len(batches)))
    pl.seed_everything(seed, verbose=False)
    module = StudentModule(StudentNetwork(count), epochs * len(batches))
    with small_network():
        trainer = pl.Trainer(
            max_epochs=epochs, accelerator="cpu", devices=1, deterministic=True, logger=False,
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
            num_sanity_val_steps=0,
        )  # fmt: skip
        trainer.fit(module, batches)
    last = np.mean(module.losses[-len(batches) :])
    say(f"student: {epochs} passes over {len(texts):,} texts, loss {last:.3f} nats")
    return module.network.eval()
