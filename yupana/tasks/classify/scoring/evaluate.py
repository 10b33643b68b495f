"""Score a candidate and the baselines on texts whose groups they had not seen, all folds pooled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from yupana.core.errors import TerminalError
from yupana.core.evaluation import Evaluation, Group, Paired
from yupana.tasks.classify import language, options
from yupana.tasks.classify.dataset.folds import FOLDS
from yupana.tasks.classify.dataset.texts import ENTITY, GROUP, LABEL, TEXT, TITLE
from yupana.tasks.classify.model.baselines import BASELINES
from yupana.tasks.classify.result import Text
from yupana.tasks.classify.scoring import held_out, metrics
from yupana.tasks.classify.scoring.metrics import Predictions

if TYPE_CHECKING:
    import pandas as pd

    from yupana.core.spec import Spec

Array = np.ndarray[Any, np.dtype[Any]]

SHORT, LONG = 12, 60
"""Words of a text up to which it is short, and from which on long."""

FEWEST_GROUPS = 5
"""Groups that two candidates must share to be compared."""


def evaluate(about: Spec, candidate: Path, rows_path: Path, *, seed: int) -> Evaluation:
    """Scores by model on the texts of all folds, each by models that had not seen its group.

    Writes what was said of each text into the candidate's folder (`held_out.SCORED`).

    Raises:
        TerminalError: the candidate holds nothing of its own held-out texts.
    """
    import pandas as pd

    rows = pd.read_parquet(rows_path)
    mine = held_out.read(candidate)
    final = about.model.final
    mine = mine[mine[held_out.MODEL].isin([final, *_PARTS])]
    if mine.empty:
        raise TerminalError(
            "The candidate has not kept what it said of held-out texts.",
            where=str(candidate / held_out.FILE),
            fix="Fit it again: yupana fit USE_CASE --split …",
        )
    names = tuple(sorted(rows[LABEL].unique()))
    said = {name: _crossfit(rows, names, name) for name in about.metric.baselines}
    scored = pd.concat([mine, held_out.table(rows, said, names)], ignore_index=True)
    held_out.write(candidate, scored, held_out.SCORED)
    _reference(rows, mine[mine[held_out.MODEL] == final], about.entity.key).to_parquet(
        candidate / "reference.parquet", index=False
    )
    models = {m: held_out.predictions(scored, m) for m in (final, *_PARTS, *said)}
    first = scored[scored[held_out.MODEL] == final]
    return Evaluation(
        metric=options.METRIC,
        better="higher",
        final=final,
        n=len(first),
        scores={name: scores(of, names) for name, of in models.items()},
        groups=tuple(_groups(rows, about, first, models, names)),
        intervals=_intervals(models, first[GROUP].to_numpy(), names, seed),
    )


_PARTS = ("student", "head")
"""Parts of the model that are scored beside it."""


def scores(of: Predictions, names: Sequence[str]) -> dict[str, float]:
    """Every measure of a model: shares (0-1), the gain of declining in accuracy."""
    whole = metrics.accuracy(of)
    gains = {
        f"gain_at_{round(100 * share)}": metrics.accuracy_at(of, share) - whole
        for share in metrics.COVERAGES if share < 1
    }  # fmt: skip
    return {
        options.METRIC: metrics.macro_f1(of, names),
        "accuracy": whole,
        "calibration_error": metrics.calibration_error(of),
        **gains,
    }


def paired(mine: Path, other: Path, final: str) -> Paired | None:
    """Two candidates on the texts that both were scored on: the ratio of what is lacking to a
    macro-F1 of 1, with an interval over groups; None where they share too few."""
    columns = [ENTITY, GROUP, LABEL]
    one, two = (held_out.read(folder) for folder in (mine, other))
    one, two = (t[t[held_out.MODEL] == final] for t in (one, two))
    both = one.merge(two, on=columns, suffixes=("_one", "_two"))
    if both[GROUP].nunique() < FEWEST_GROUPS:
        return None
    names = sorted(both[LABEL].unique())
    truth = both[LABEL].to_numpy()
    pair = [
        Predictions(truth, both[f"said_{n}"].to_numpy(), both[f"confidence_{n}"].to_numpy())
        for n in ("one", "two")
    ]

    def ratio(of: Sequence[Predictions]) -> float:
        lacking = [1 - metrics.macro_f1(p, names) for p in of]
        return lacking[0] / max(lacking[1], 1e-9)

    low, high = metrics.interval(pair, both[GROUP].to_numpy(), ratio)
    return Paired(n=len(both), ratio=ratio(pair), low=low, high=high)


def _reference(rows: pd.DataFrame, said: pd.DataFrame, key: str) -> pd.DataFrame:
    """What monitoring compares answers with: held-out texts and what was said of them."""
    import pandas as pd

    of = rows.set_index(ENTITY).loc[said[ENTITY]].reset_index()
    whole = [Text(t, x).whole for t, x in zip(of[TITLE], of[TEXT], strict=True)]
    return pd.DataFrame(
        {
            key: of[ENTITY],
            "event_timestamp": of["event_timestamp"],
            "words": [float(len(text.split())) for text in whole],
            "language": [language.of(text) or "unknown" for text in of[TEXT]],
            "label": said[held_out.SAID].to_numpy(),
            "confidence": said[held_out.CONFIDENCE].to_numpy(),
        }
    )


def _crossfit(rows: pd.DataFrame, names: Sequence[str], baseline: str) -> Array:
    whole = [Text(t, x).whole for t, x in zip(rows[TITLE], rows[TEXT], strict=True)]
    labels = np.searchsorted(np.array(names), rows[LABEL].to_numpy().astype(str))
    said = np.zeros((len(rows), len(names)))
    for fold in range(FOLDS):
        held = (rows["part"] == f"fold_{fold}").to_numpy()
        learned = [whole[row] for row in np.flatnonzero(~held)]
        fitted = BASELINES[baseline](learned, labels[~held], len(names))
        said[held] = fitted([whole[row] for row in np.flatnonzero(held)])
    return said


def _intervals(
    models: dict[str, Predictions], groups: Array, names: Sequence[str], seed: int
) -> dict[str, tuple[float, float]]:
    """Of each model's macro-F1, and of its ratio to each other's."""

    def f1(of: Sequence[Predictions]) -> float:
        return metrics.macro_f1(of[0], names)

    def ratio(of: Sequence[Predictions]) -> float:
        return metrics.macro_f1(of[0], names) / max(metrics.macro_f1(of[1], names), 1e-9)

    ends = {n: metrics.interval([p], groups, f1, seed=seed) for n, p in models.items()}
    final, *others = models
    for other in others:
        pair = [models[final], models[other]]
        ends[f"{final}/{other}"] = metrics.interval(pair, groups, ratio, seed=seed)
    return ends


def _groups(
    rows: pd.DataFrame, about: Spec, first: pd.DataFrame, models: dict[str, Predictions],
    names: Sequence[str],
) -> list[Group]:  # fmt: skip
    """Scores by label, by language, by length and by the spec's groups."""
    of_row = rows.set_index(ENTITY).loc[first[ENTITY]]
    words = np.array([len(text.split()) for text in of_row[TEXT]])
    by = {
        "label": first[LABEL].to_numpy(),
        "language": np.array([language.of(text) or "unknown" for text in of_row[TEXT]]),
        "length": np.where(words <= SHORT, "short", np.where(words >= LONG, "long", "middle")),
        **{group: of_row[group].fillna("unknown").to_numpy() for group in about.entity.groups},
    }
    results = []
    for group, of in by.items():
        for name in sorted(set(of)):
            mask = of == name
            scored = {
                model: _of_label(p, name) if group == "label" else _short(p.of(mask), names)
                for model, p in models.items()
            }
            results.append(Group(group=group, of=str(name), n=int(mask.sum()), scores=scored))
    return results


def _short(of: Predictions, names: Sequence[str]) -> dict[str, float]:
    return {options.METRIC: metrics.macro_f1(of, names), "accuracy": metrics.accuracy(of)}


def _of_label(of: Predictions, name: str) -> dict[str, float]:
    score = metrics.by_label(of, [name])[name]
    return {options.METRIC: score.f1, "precision": score.precision, "recall": score.recall}
