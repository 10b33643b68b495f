"""A new use case that gives the texts of one published data set their labels, ready to be trained.

What stands in the templates beside this module is the smallest use case; what it should become is
its author's.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import yaml

from yupana.config.settings import Settings
from yupana.data.contracts import contract as contracts
from yupana.gate import register_draft
from yupana.gate.register import Bound
from yupana.gate.register_parts import Both
from yupana.tasks import new_usecase
from yupana.tasks.classify.new.columns import PARTS, columns_of

if TYPE_CHECKING:
    import polars as pl

__all__ = ["PARTS", "files"]

_TEMPLATES = {
    "models/{name}/usecase.yaml": "usecase.yaml",
    "models/{name}/__init__.py": "model.py",
    "models/{name}/card.yaml": "card.yaml",
}
_BOUNDS = (
    Bound(
        measure="ratio", against="tfidf", at_least=1.0,
        why=Both(es="No peor que contar palabras.", en="No worse than counting words."),
    ),
    Bound(
        measure="calibration_error", at_most=0.1,
        why=Both(
            es="La confianza dice con qué frecuencia acierta.",
            en="The confidence says how often it is right.",
        ),
    ),
)  # fmt: skip
"""What is demanded of every model until its author says otherwise."""


def files(
    settings: Settings, name: str, dataset: str, columns: dict[str, str], today: date
) -> dict[str, str]:
    """The files of a new use case, by their path below the project.

    Args:
        dataset: published, with a row a text.
        columns: by `PARTS`, where they are not to be guessed.

    Raises:
        UsageError: the data set is not published, or its columns cannot be told apart.
    """
    contract = contracts.load(settings.root, dataset)
    title = contract.title.replace('"', "'")
    table = new_usecase.published(settings, dataset)
    names = columns_of(contract, table, columns)
    labels = _by_frequency(table[names["label"]])
    values = {
        "name": name,
        "title": title,
        "dataset": dataset,
        **{part: names[part] for part in ("entity", "text", "label", "group", "time")},
        "heading": names["title"] or "null",
        "example": json.dumps(_words(labels[0]), ensure_ascii=False),
        "labels": textwrap.indent(_labels(sorted(labels)), " " * 4),
    }
    contents = new_usecase.contents(__package__, _TEMPLATES, values)
    return contents | register_draft.files(name, title, list(_BOUNDS), today)


def _by_frequency(labels: pl.Series) -> list[str]:
    """The labels, the commonest first."""
    counts = labels.drop_nulls().value_counts().sort("count", labels.name, descending=[True, False])
    return list(counts[labels.name])


def _labels(names: Sequence[str]) -> str:
    """Each label called by its name, until its author says more of it."""
    section = {
        name: {"title": {"es": _words(name), "en": _words(name)}, "about": _words(name)}
        for name in names
    }
    return yaml.safe_dump(section, allow_unicode=True, sort_keys=False, width=100).rstrip()


def _words(name: str) -> str:
    return name.replace("_", " ")
