"""What each labelling function says of each text, and what that is worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from yupana.core.errors import record_text
from yupana.tasks.classify.labelling import folding
from yupana.tasks.classify.labelling.functions import Failure, Function, Given, Labelling

if TYPE_CHECKING:
    import polars as pl

ABSTAINS = -1
FEWEST = 5
"""Fewer votes with a known label say nothing of a function's accuracy."""


@dataclass(frozen=True)
class Votes:
    """The votes of functions (columns) on texts (rows).

    Attributes:
        matrix: index of the label in `labels`, or `ABSTAINS`; int16, (texts, functions).
        failures: where a function raised or gave a label that is none; it abstains there.
    """

    entities: tuple[str, ...]
    functions: tuple[Function, ...]
    labels: tuple[str, ...]
    matrix: np.ndarray[Any, np.dtype[np.int16]]
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True)
class FunctionReport:
    """What a function's votes are like.

    Attributes:
        labels: those that it gave.
        coverage: share of the texts that it labels.
        overlap: share of the texts that it labels together with another function.
        conflict: share of the texts where another function gives another label.
        accuracy: share of its votes that are the known label; None with fewer than `FEWEST`, and
            of a function that repeats a source: it would be measured by itself.
        known: its votes on texts whose label is known.
        failures: texts on which it failed.
    """

    function: str
    labels: tuple[str, ...]
    coverage: float
    overlap: float
    conflict: float
    accuracy: float | None
    known: int
    failures: int


def of(
    labelling: Labelling, texts: pl.DataFrame, given: Given,
    say: Callable[[str], None] = lambda message: None,
) -> Votes:  # fmt: skip
    """The votes of all functions on texts.

    Args:
        texts: columns entity, title, text (str).
        given: what sources say of texts, for functions that repeat one.
    """
    folded = _folded(texts)
    number = {label: index for index, label in enumerate(labelling.labels)}
    matrix = np.full((len(texts), len(labelling.functions)), ABSTAINS, np.int16)
    failures: list[Failure] = []
    for column, function in enumerate(labelling.functions):
        for row, label in enumerate(_votes(function, folded, given, failures)):
            if label is None:
                continue
            if label not in number:
                entity = str(folded["entity"][row])
                failures.append(Failure(function.author, entity, "it gave a label that is none"))
                continue
            matrix[row, column] = number[label]
        covered = int((matrix[:, column] != ABSTAINS).sum())
        say(f"{function.author}: {covered:,} of {len(texts):,} texts")
    entities = tuple(folded["entity"])
    return Votes(entities, labelling.functions, labelling.labels, matrix, tuple(failures))


def _votes(
    function: Function, texts: pl.DataFrame, given: Given, failures: list[Failure]
) -> Sequence[str | None]:
    try:
        return function.votes(texts, given, failures)
    except Exception as error:
        failures.append(Failure(function.author, "", record_text(error)))
        return []


def _folded(texts: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    parts = {name: [folding.fold(t or "") for t in texts[name]] for name in ("title", "text")}
    both = [f"{title}\n{text}" for title, text in zip(parts["title"], parts["text"], strict=True)]
    return texts.with_columns(
        *(pl.Series(f"folded_{name}", values, pl.String)
          for name, values in {**parts, "both": both}.items())
    )  # fmt: skip


def table(votes: Votes, known: Mapping[str, str]) -> list[FunctionReport]:
    """What each function's votes are like, in the order of the functions.

    Args:
        known: the label of texts that somebody else gave, by entity.
    """
    cast = votes.matrix != ABSTAINS
    truth = _numbers(votes, known)
    texts, reports = max(len(votes.entities), 1), []
    failed = [failure.function for failure in votes.failures]
    for column, function in enumerate(votes.functions):
        mine, voted = votes.matrix[:, column], cast[:, column]
        others = np.delete(np.arange(cast.shape[1]), column)
        overlap = voted & cast[:, others].any(axis=1)
        against = cast[:, others] & (votes.matrix[:, others] != mine[:, None])
        measured = voted & (truth != ABSTAINS) & (not function.source)
        count = int(measured.sum())
        right = float((mine[measured] == truth[measured]).mean()) if count >= FEWEST else None
        reports.append(FunctionReport(
            function.author, tuple(votes.labels[i] for i in np.unique(mine[voted])),
            float(voted.sum() / texts), float(overlap.sum() / texts),
            float((voted & against.any(axis=1)).sum() / texts), right, count,
            failed.count(function.author),
        ))  # fmt: skip
    return reports


def _numbers(votes: Votes, known: Mapping[str, str]) -> np.ndarray[Any, np.dtype[np.int16]]:
    number = {label: index for index, label in enumerate(votes.labels)}
    return np.array(
        [number.get(known.get(entity, ""), ABSTAINS) for entity in votes.entities], np.int16
    )


def majority(votes: Votes) -> list[str | None]:
    """The label that most functions give each text; None without votes or between even ones."""
    counts = np.stack([(votes.matrix == i).sum(axis=1) for i in range(len(votes.labels))], axis=1)
    most = counts.max(axis=1)
    sole = (counts == most[:, None]).sum(axis=1) == 1
    return [
        votes.labels[best] if one and top else None
        for best, one, top in zip(counts.argmax(axis=1), sole, most, strict=True)
    ]
