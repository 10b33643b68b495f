"""Score the champion and the baselines on a file of labelled texts that none of them has seen."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.core.spec import Spec
from yupana.data.contracts import contract as contracts
from yupana.features import training_sets
from yupana.privacy.mask import mask
from yupana.tasks.classify import usecases
from yupana.tasks.classify.dataset import texts as dataset
from yupana.tasks.classify.dataset.texts import GROUP, LABEL, TEXT, TITLE
from yupana.tasks.classify.model import store
from yupana.tasks.classify.model.encoder import EmbeddingCache
from yupana.tasks.classify.result import Text
from yupana.tasks.classify.scoring import metrics
from yupana.tasks.classify.scoring.metrics import Predictions
from yupana.tracking import facts, registry

if TYPE_CHECKING:
    import polars as pl

CHUNK = 200
"""Texts between two words of progress."""


def report(
    settings: Settings, use_case: str, path: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Scores of the champion on the texts of a file, beside baselines fitted on what it learned.

    Args:
        path: CSV with the columns of the contract of the spec's `data.trigger`, as published.

    Returns:
        `n`, `groups`, `model`, `macro_f1`, `accuracy`, `by_class` (label → `n`, `precision`,
        `recall`, `f1`), `coverage` ("0.8" → `accuracy` of the surest 80 %), `ece`, `intervals`
        (95 %, over groups), `decided` (share that the model would decide by itself, and its
        accuracy), `baselines` (name → `macro_f1`, `accuracy`), `seconds`.

    Raises:
        UsageError: the file cannot be read, or lacks a column.
        TerminalError: there is no champion, or its training set is gone.
    """
    definition = usecases.load(use_case)
    start = time.monotonic()
    table = dataset.of_table(_read(settings, definition.spec, path), definition.spec)
    rows = table.filter(table[LABEL].is_not_null()).to_pandas()
    if rows.empty:
        raise UsageError("The file has no labelled text.", where=str(path), fix="Give another.")
    version, folder = registry.champion(settings, use_case)
    cascade = store.load(folder, EmbeddingCache(settings.home / "embeddings.db").embed)
    whole = [Text(t, x) for t, x in zip(rows[TITLE], rows[TEXT], strict=True)]
    answers = []
    for first in range(0, len(whole), CHUNK):
        answers += cascade.classify(whole[first : first + CHUNK])
        say(f"{min(first + CHUNK, len(whole)):,} of {len(whole):,} texts")
    truth = rows[LABEL].to_numpy()
    mine = Predictions(
        truth, np.array([a.label for a in answers], object),
        np.array([a.confidence for a in answers]),
    )  # fmt: skip
    say("baselines, fitted on what the champion learned …")
    others = {
        name: _predict(fitted, names, whole, truth)
        for name, (fitted, names) in _baselines(settings, use_case, folder).items()
    }
    alone = np.array([not a.abstention for a in answers])
    labels = sorted({*truth, *cascade.labels})
    return {
        "n": len(rows),
        "groups": int(rows[GROUP].nunique()),
        "model": f"model:{use_case}@{version}",
        "macro_f1": metrics.macro_f1(mine, labels),
        "accuracy": metrics.accuracy(mine),
        "by_class": {n: vars(s) for n, s in metrics.by_label(mine, labels).items()},
        "coverage": {
            str(share): {"accuracy": metrics.accuracy_at(mine, share)}
            for share in metrics.COVERAGES
        },
        "ece": metrics.calibration_error(mine),
        "intervals": _intervals(mine, others, rows[GROUP].to_numpy(), labels, settings.seed),
        "decided": {
            "share": float(alone.mean()),
            "accuracy": metrics.accuracy(mine.of(alone)) if alone.any() else None,
        },
        "baselines": {
            name: {"macro_f1": metrics.macro_f1(p, labels), "accuracy": metrics.accuracy(p)}
            for name, p in others.items()
        },
        "seconds": round(time.monotonic() - start, 2),
    }


def _read(settings: Settings, about: Spec, path: Path) -> pl.DataFrame:
    """The file under the contract's own names, texts masked as they are when published."""
    import polars as pl

    contract = contracts.load(settings.root, about.data.trigger)
    try:
        table = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UsageError(
            "The file cannot be read as CSV.", where=str(path), detail=str(error),
            fix="Give a CSV file in UTF-8 with a header.",
        ) from error  # fmt: skip
    named = {c.published: c.name for c in contract.columns if c.published in table.columns}
    table = table.rename({k: v for k, v in named.items() if k})
    treated = {c.name for c in contract.columns if c.treatment == "mask"}
    table = table.with_columns(
        pl.col(name).map_elements(lambda text: mask(text).text, return_dtype=pl.String)
        for name in table.columns if name in treated
    )
    section = usecases.load(about.name).options
    if section.time in table.columns:
        day = pl.col(section.time).str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
        table = table.with_columns(day.alias(section.time))
    needed = [about.entity.key, section.text, section.label, section.group, section.time]
    if absent := [name for name in needed if name not in table.columns]:
        published = next((c.published for c in contract.columns if c.name == absent[0]), absent[0])
        raise UsageError(
            f"The file has no column '{published}'.",
            where=f"{path}: {', '.join(table.columns)}",
            fix=f"Give the columns of expectations/{about.data.trigger}/contract.yaml.",
        )
    return table


def _baselines(settings: Settings, use_case: str, folder: Path) -> dict[str, Any]:
    """Each baseline as fitted on the champion's training set, with the names of its labels."""
    reference = facts.read(folder).get("data", {}).get("ref", "")
    if not reference or not training_sets.path_of(settings, use_case, reference).exists():
        raise TerminalError(
            "The training set of the champion is not here, so that baselines cannot be fitted.",
            where=reference or str(folder),
            fix=f"Train here: yupana train {use_case}",
        )
    frame = training_sets.load(settings, use_case, reference)
    names = np.array(sorted(frame[LABEL].unique()), object)
    fitted = usecases.load(use_case).baselines(frame)
    return {name: (one, names) for name, one in fitted.items()}


def _predict(
    fitted: Callable[[Sequence[str]], Any], names: Any, whole: Sequence[Text], truth: Any
) -> Predictions:
    said = fitted([text.whole for text in whole])
    return Predictions(truth, names[said.argmax(axis=1)], said.max(axis=1))


def _intervals(
    mine: Predictions, others: dict[str, Predictions], groups: metrics.Array,
    labels: Sequence[str], seed: int,
) -> dict[str, tuple[float, float]]:  # fmt: skip
    """Of the macro-F1, and of its difference to each baseline's; empty for one group alone."""
    if len(set(groups)) < 2:
        return {}

    def f1(of: Sequence[Predictions]) -> float:
        return metrics.macro_f1(of[0], labels)

    def more(of: Sequence[Predictions]) -> float:
        return metrics.macro_f1(of[0], labels) - metrics.macro_f1(of[1], labels)

    ends = {"macro_f1": metrics.interval([mine], groups, f1, seed=seed)}
    for name, other in others.items():
        ends[f"macro_f1 less {name}"] = metrics.interval([mine, other], groups, more, seed=seed)
    return ends
