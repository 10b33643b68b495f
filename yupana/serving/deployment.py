"""A model that serves: read from the store, tested, with its answers made ready."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bentoml
from bentoml.exceptions import BentoMLException

from yupana.core import usecase
from yupana.core.errors import TerminalError
from yupana.gate.gate import Standing
from yupana.gate.measures import model_sha256
from yupana.serving.training_ranges import TrainingRanges


@dataclass(frozen=True)
class Model:
    """A model from the store that passed its own test."""

    tag: str
    version: str
    folder: Path
    predictor: Any
    ranges: TrainingRanges
    sha256: str
    """Over its files, as they were read."""


@dataclass(frozen=True)
class Deployment:
    """A model that serves, with its answers as the kind prepared them (a `ReadyAnswers`).

    Attributes:
        share: the challenger's.
    """

    model: Model
    answers: Any
    standing: Standing
    share: float = 0.0

    def answers_to(self, key_id: str) -> bool:
        """Whether this challenger answers a caller: always or never, while the share stands.

        By a hash of key and deployment, so that an agency sees one model, a share that grows only
        adds callers, and another challenger begins with others. Without keys all are one caller.
        """
        digest = hashlib.sha256(f"{self.model.tag}\n{key_id}".encode()).digest()
        return int.from_bytes(digest[:8]) < self.share * 2**64


def stored_folder(tag: str) -> Path:
    """Where a model's files lie in the store.

    Raises:
        TerminalError: it is not there.
    """
    try:
        return Path(bentoml.models.get(tag).path)
    # Also a name that the store takes for none, such as `a_`.
    except BentoMLException as error:
        raise TerminalError(
            f"The model '{tag}' is not in the store.",
            where="the BentoML model store",
            fix=f"Deploy it on this machine: yupana deploy {tag.split(':')[0]}",
        ) from error


def load(tag: str) -> Model:
    """Read a model from the store and test it.

    Raises:
        TerminalError: it is not there, or does not answer as it did when it was deployed.
    """
    use_case, version = tag.split(":")
    folder = stored_folder(tag)
    before = model_sha256(folder)
    code = usecase.load(use_case)
    predictor = code.load(folder)
    code.run_selftest(folder, predictor)
    ranges, after = TrainingRanges.read(folder), model_sha256(folder)
    # A file that changed while it was read: neither hash is of what was read.
    return Model(tag, version, folder, predictor, ranges, after if after == before else "")
