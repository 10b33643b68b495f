"""Training sets: labelled texts, each with who labelled it weighed, in folds of whole groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.data.lake import delta
from yupana.tasks.classify import usecases
from yupana.tasks.classify.dataset import folds
from yupana.tasks.classify.dataset.texts import ENTITY, LABEL, TIME
from yupana.tasks.classify.labelling.labels import Label
from yupana.tasks.classify.labelling.weights import training_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

LEAST_TEXTS = 50
"""Fewer labelled texts teach nothing that could be scored."""


def build(
    settings: Settings, use_case: str, table: str, labels: Sequence[Label]
) -> pd.DataFrame:
    """Labelled texts of the feature table, as `texts.of_table` gives them, with `weight` and
    `part`; the labels are the publisher's and those that people and functions gave.

    Args:
        table: reference of the feature table.

    Raises:
        TerminalError: there are too few labelled texts, groups or labels.
    """
    import polars as pl

    key = usecases.load(use_case).spec.entity.key
    zone, name, version = delta.parts(table)
    rows = delta.read(settings.table(zone, name), version).rename({key: ENTITY})
    publisher = dict(rows.select(ENTITY, LABEL).iter_rows())
    chosen = [one for one in training_labels(labels, publisher) if one.entity in publisher]
    if len(chosen) < LEAST_TEXTS:
        raise TerminalError(
            f"{len(chosen)} labelled texts are too few to learn from.",
            where=f"features/{name}",
            fix=f"Publish {LEAST_TEXTS} or more, or label them: yupana label --help",
        )
    given = pl.DataFrame(
        [(one.entity, one.label, one.weight) for one in chosen],
        schema={ENTITY: pl.String, LABEL: pl.String, "weight": pl.Float64}, orient="row",
    )  # fmt: skip
    labelled = rows.drop(LABEL).join(given, on=ENTITY).sort(TIME, ENTITY)
    return folds.with_folds(labelled.to_pandas(), seed=settings.seed)
