"""Training sets: labelled texts, each with who labelled it weighed, in folds of whole groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.data.lake import delta
from yupana.tasks.classify import usecases
from yupana.tasks.classify.dataset import folds
from yupana.tasks.classify.dataset.texts import ENTITY, GROUP, LABEL, TIME
from yupana.tasks.classify.labelling.labels import Label
from yupana.tasks.classify.labelling.weights import training_labels
from yupana.tasks.classify.options import LEAST_GROUPS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    import polars as pl

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
    _demand_texts(len(chosen), f"features/{name}")
    given = pl.DataFrame(
        [(one.entity, one.label, one.weight) for one in chosen],
        schema={ENTITY: pl.String, LABEL: pl.String, "weight": pl.Float64}, orient="row",
    )  # fmt: skip
    labelled = rows.drop(LABEL).join(given, on=ENTITY).sort(TIME, ENTITY)
    return folds.with_folds(labelled.to_pandas(), seed=settings.seed)


def demand(texts: pl.DataFrame, dataset: str) -> None:
    """Demand texts enough, labelled by their publisher.

    Raises:
        TerminalError: there are fewer.
    """
    labelled = texts.filter(texts[LABEL].is_not_null())
    _demand_texts(len(labelled), f"published/{dataset}")
    if (groups := labelled[GROUP].n_unique()) < LEAST_GROUPS:
        raise TerminalError(
            f"The labelled texts are of {groups} groups; each of {LEAST_GROUPS} is kept out once.",
            where=f"published/{dataset}",
            fix="Publish more, or name another column as `group` in the spec.",
        )


def _demand_texts(count: int, where: str) -> None:
    if count < LEAST_TEXTS:
        raise TerminalError(
            f"{count} labelled texts are too few to learn from.",
            where=where,
            fix=f"Publish {LEAST_TEXTS} or more, or label them: yupana label --help",
        )
