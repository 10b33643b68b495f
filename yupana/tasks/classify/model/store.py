"""A fitted cascade in a folder: safetensors, the rest as JSON, nothing that runs on load."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from yupana.core.errors import TerminalError
from yupana.tasks.classify.model import encoder
from yupana.tasks.classify.model.calibration import Confidence
from yupana.tasks.classify.model.cascade import Cascade, Thresholds
from yupana.tasks.classify.model.head import About, Embed, Head
from yupana.tasks.classify.model.quick_student import QuickStudent

WEIGHTS, DESCRIPTION = "weights.safetensors", "model.json"

Array = np.ndarray[Any, np.dtype[Any]]


def save(cascade: Cascade, folder: Path, about: dict[str, Any]) -> None:
    """Write the two files of a fitted cascade.

    Args:
        about: more facts for the description, such as the share of each label.
    """
    folder.mkdir(parents=True, exist_ok=True)
    student, head = cascade.student, cascade.head
    arrays = {
        # Half precision: a hashed vector needs no more, and it is nearly the whole file.
        "student.vectors": student.vectors.astype(np.float16),
        "student.weights": student.weights, "student.bias": student.bias,
        "head.phrases": head.about.phrases, "head.starts": head.about.starts,
        "head.weights": head.weights, "head.bias": head.bias,
    }  # fmt: skip
    save_file({k: np.ascontiguousarray(v) for k, v in arrays.items()}, folder / WEIGHTS)
    description = {
        "labels": cascade.labels,
        "languages": cascade.languages,
        "thresholds": asdict(cascade.thresholds),
        "encoder": encoder.name(),
        **about,
    }
    text = json.dumps(description, indent=1, ensure_ascii=False)
    (folder / DESCRIPTION).write_text(text + "\n", encoding="utf-8")


def load(folder: Path, embed: Embed = encoder.embed) -> Cascade:
    """Read a fitted cascade.

    Args:
        embed: what it reads texts by.

    Raises:
        TerminalError: the folder does not hold one, or it was fitted with another encoder.
    """
    try:
        description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        stored = load_file(folder / WEIGHTS)
        student = QuickStudent(*(stored[f"student.{n}"] for n in ("vectors", "weights", "bias")))
        about = About(stored["head.phrases"], stored["head.starts"])
        head = Head(about, stored["head.weights"], stored["head.bias"])
        facts = description["thresholds"]
        thresholds = Thresholds(
            Confidence(**facts["student"]), Confidence(**facts["head"]), facts["sure"],
            facts["decide"],
        )  # fmt: skip
        labels: Sequence[str] = description["labels"]
        languages, fitted_with = description["languages"], description["encoder"]
    except FileNotFoundError as error:
        raise TerminalError(
            "The folder holds no fitted model.",
            where=str(error.filename or folder),
            fix="Fit it first: yupana train <use case>.",
        ) from error
    except (ValueError, KeyError, TypeError, SafetensorError) as error:
        raise TerminalError(
            "The folder's model cannot be read.",
            where=str(folder),
            detail=str(error),
            fix="Get it again from who shared it, or fit it again: yupana train <use case>.",
        ) from error
    if fitted_with != encoder.name():
        raise TerminalError(
            f"The model was fitted with {fitted_with}, and this machine has {encoder.name()}.",
            where=str(folder / DESCRIPTION),
            fix="Install that version, or fit the model again: yupana train <use case>.",
        )
    return Cascade(labels, languages, student, head, thresholds, embed)


def description(folder: Path) -> dict[str, Any]:
    """What `save` wrote beside the weights."""
    facts: dict[str, Any] = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    return facts
