"""What people should look at: labels that are probably wrong, and texts that say most when read.

Suspicious labels are by cleanlab (confident learning, Northcutt et al. 2021,
https://doi.org/10.1613/jair.1.12125); the rest are texts of which the model is least certain, of
near-duplicates one.
"""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from yupana.core import whole_file
from yupana.core.errors import UsageError
from yupana.core.progress import Progress
from yupana.tasks.classify.labelling import folding, out_of_sample
from yupana.tasks.classify.labelling.labels import Label
from yupana.tasks.classify.labelling.out_of_sample import OutOfSample
from yupana.tasks.classify.labelling.weights import TrainingLabel, training_labels

if TYPE_CHECKING:
    import polars as pl

_ALIKE, _HASHES = 0.8, 64
_PEOPLE = ("reviewer", "clerk")
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class ReviewItem(NamedTuple):
    """A text for a reviewer.

    Attributes:
        why: its label is probably wrong, or the model is not certain.
        label: the one that it has, or empty; `source` gave it.
        suggestion: the label that a model which never saw the text finds most probable.
        probability: of the suggestion, 0-1.
        score: the lower, the more it needs a person: of a suspicious label its quality (0-1), of
            an uncertain text how far the first label is before the second (0-1).
    """

    why: Literal["suspicious", "uncertain"]
    entity: str
    title: str
    text: str
    label: str
    source: str
    suggestion: str
    probability: float
    score: float


class Review(NamedTuple):
    """What is to be reviewed, the most needed first; suspicious labels before uncertain texts.

    Attributes:
        suspicious: labels that are probably wrong, in all.
        judged: labels that a model which never saw their group could judge.
        agreement: share of them that are its most probable one; where that is low, a suspicious
            label says as much of that model as of the label.
        alone: labels that stand in one group alone: none of their texts was judged.
    """

    items: tuple[ReviewItem, ...]
    suspicious: int
    judged: int
    agreement: float
    alone: tuple[str, ...]


def choose(
    texts: pl.DataFrame, labels: Sequence[Label], most: int, seed: int, progress: Progress
) -> Review:
    """At most `most` texts, half of them for suspicious labels where there are as many.

    Texts that a person labelled are not asked for again.

    Args:
        texts: columns entity, title, text, label, group (str).
        labels: those that hold (`labels.of`).

    Raises:
        TerminalError: there are too few labels to judge any.
    """
    publisher: dict[str, str | None] = dict(texts.select("entity", "label").iter_rows())
    by_entity = {one.entity: one for one in training_labels(labels, publisher)}
    entities = texts["entity"].to_list()
    given = [by_entity.get(entity) for entity in entities]
    whole = [f"{title}\n{text}" for title, text in texts.select("title", "text").iter_rows()]
    progress.say(f"judging the labels of {sum(g is not None for g in given):,} texts")
    judged = out_of_sample.probabilities(
        whole, texts["group"].to_list(), [g.label if g else None for g in given],
        [g.weight if g else 0.0 for g in given], seed,
    )  # fmt: skip
    reviewed = {label.entity for label in labels if label.source in _PEOPLE}
    open_rows = [row for row, entity in enumerate(entities) if entity not in reviewed]
    wrong = _suspicious(judged, given)
    margin = _margins(judged)
    progress.say(f"choosing from {len(open_rows):,} texts that no person labelled")
    ranked = sorted((row for row in wrong if row in {*open_rows}), key=lambda r: (wrong[r], r))
    alike = _NearDuplicates()
    first = list(_take(ranked, whole, alike, (most + 1) // 2))
    rest = sorted({*open_rows} - {*first}, key=lambda row: (margin[row], row))
    second = list(_take(rest, whole, alike, most - len(first)))
    entity_title_text: list[tuple[str, str, str]] = [
        (row[0], row[1], row[2]) for row in texts.select("entity", "title", "text").iter_rows()
    ]

    def item(row: int, why: Literal["suspicious", "uncertain"], score: float) -> ReviewItem:
        mine, best = given[row], int(judged.probabilities[row].argmax())
        return ReviewItem(
            why, *entity_title_text[row], mine.label if mine else "", mine.source if mine else "",
            judged.labels[best], round(float(judged.probabilities[row, best]), 4), round(score, 4),
        )  # fmt: skip

    items = [item(row, "suspicious", wrong[row]) for row in first]
    items += [item(row, "uncertain", margin[row]) for row in second]
    rows_judged = np.flatnonzero(judged.judged)
    best = [judged.labels[i] for i in judged.probabilities[rows_judged].argmax(axis=1)]
    right = [(one := given[r]) and one.label == b for r, b in zip(rows_judged, best, strict=True)]
    agreement = sum(map(bool, right)) / max(len(right), 1)
    return Review(tuple(items), len(wrong), len(right), agreement, judged.alone)


def _suspicious(judged: OutOfSample, given: Sequence[TrainingLabel | None]) -> dict[int, float]:
    """Quality (0-1) of the labels that are probably wrong, by row."""
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    rows = [int(row) for row in np.flatnonzero(judged.judged)]
    names = [one.label for row in rows if (one := given[row])]
    present = sorted(set(names))
    if len(present) < 2:
        return {}
    columns = [judged.labels.index(name) for name in present]
    matrix = judged.probabilities[rows][:, columns]
    matrix = matrix / matrix.sum(axis=1, keepdims=True)
    target = np.array([present.index(name) for name in names])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        issues = find_label_issues(target, matrix, n_jobs=1)
        quality = get_label_quality_scores(target, matrix)
    return {rows[i]: float(quality[i]) for i in np.flatnonzero(issues)}


def _margins(judged: OutOfSample) -> list[float]:
    """How far each text's most probable label is before the second, 0-1."""
    two = np.sort(judged.probabilities, axis=1)[:, -2:]
    return [float(margin) for margin in two[:, 1] - two[:, 0]]


class _NearDuplicates:
    """Texts that were taken, to know the next one that is nearly the same (Jaccard of words)."""

    def __init__(self) -> None:
        from datasketch import MinHashLSH

        self._index = MinHashLSH(threshold=_ALIKE, num_perm=_HASHES)

    def is_new(self, row: int, text: str) -> bool:
        """Whether no text that was taken is like this one; then it is taken."""
        from datasketch import MinHash

        sketch = MinHash(_HASHES, seed=1)
        sketch.update_batch([word.encode() for word in set(folding.fold(text).split())])
        if self._index.query(sketch):
            return False
        self._index.insert(row, sketch)
        return True


def _take(
    rows: Iterable[int], texts: Sequence[str], alike: _NearDuplicates, most: int
) -> Iterator[int]:
    count = 0
    for row in rows:
        if count >= most:
            return
        if alike.is_new(row, texts[row]):
            count += 1
            yield row


def write(path: Path, items: Sequence[ReviewItem]) -> Path:
    """Write what is to be reviewed as `.csv` (for spreadsheets) or `.json`; returns the path.

    Raises:
        UsageError: it has another ending, or cannot be written.
    """
    if path.suffix not in (".csv", ".json"):
        raise UsageError(
            f"A review is not written as '{path.suffix or path.name}'.",
            where=str(path),
            fix="Call the file .csv or .json.",
        )
    if path.suffix == ".json":
        return whole_file.write_json(path, [item._asdict() for item in items])
    out = io.StringIO()
    lines = csv.writer(out)
    lines.writerow(ReviewItem._fields)
    lines.writerows([_cell(value) for value in item] for item in items)
    # Without a byte order mark Excel reads UTF-8 as Latin-1.
    return whole_file.write(path, "\ufeff" + out.getvalue())


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets an apostrophe before it."""
    risky = isinstance(value, str) and value.startswith(_STARTS_A_FORMULA)
    return f"'{value}" if risky else value
