"""A new use case that forecasts the counts of one published data set, ready to be trained.

What stands in the templates beside this module is the smallest use case; what it should become is
its author's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.core import usecase
from yupana.data.contracts import contract as contracts
from yupana.gate import register_draft
from yupana.gate.register import Bound
from yupana.gate.register_parts import Both
from yupana.tasks import new_usecase
from yupana.tasks.forecast.frequency import FREQUENCIES, Frequency
from yupana.tasks.new_usecase import Part

if TYPE_CHECKING:
    import polars as pl

HORIZONS = {"week": 8, "month": 3}
MEANS = {"week": "8, 26, 52, 104", "month": "3, 6, 12, 24"}
TRUNCATED = {
    # A week begins on Sunday, where polars has Monday.
    "week": '.dt.offset_by("1d").dt.truncate("1w").dt.offset_by("-1d")',
    "month": '.dt.truncate("1mo")',
}
"""Any day of a period stands for it."""
PARTS = ("entity", "period", "count")
"""Columns that it reads, as options name them."""

_SHAPES = {"entity": "a text", "period": "a day", "count": "a whole number"}
_ABSENT = {
    "entity": "Add a text to the contract that says what a row is about.",
    "period": "Derive a day in the contract, and ingest again: {name: month_start, logicalType: "
    "date, required: true, transformLogic: date_of, transformSourceObjects: [year, month]}; "
    "docs/contracts.md has the other ways.",
    "count": "Add a column to the contract that is an `integer`.",
}
"""What a column must be, and what to do where the table has none."""
_TEMPLATES = {
    "models/{name}/usecase.yaml": "usecase.yaml",
    "models/{name}/__init__.py": "model.py",
    "models/{name}/card.yaml": "card.yaml",
    "feature_repo/{name}/series.py": "series.py",
    "feature_repo/{name}/definitions.py": "definitions.py",
}


@dataclass(frozen=True)
class Columns:
    """Columns of the published table: the entity, a day of the period, and the count."""

    entity: str
    period: str
    count: str


def files(
    settings: Settings, name: str, dataset: str, columns: dict[str, str], today: date
) -> dict[str, str]:
    """The files of a new use case, by their path below the project.

    Args:
        dataset: published, with a row an entity and period.
        columns: `entity`, `period`, `count` where they are not to be guessed.

    Raises:
        UsageError: the data set is not published, or its columns cannot be told apart.
    """
    title = contracts.load(settings.root, dataset).title.replace('"', "'")
    table = new_usecase.published(settings, dataset)
    names = _columns(settings, dataset, table, columns)
    frequency = _frequency(table, names)
    values = {
        "name": name,
        "title": title,
        "title_class": usecase.class_name(name),
        "dataset": dataset,
        "entity": names.entity,
        "period": names.period,
        "count": names.count,
        "example": str(_largest(table, names)),
        "frequency": frequency.name,
        "constant": frequency.name.upper(),
        "horizons": HORIZONS[frequency.name],
        "means": MEANS[frequency.name],
        "truncated": TRUNCATED[frequency.name],
    }
    contents = new_usecase.contents(__package__, _TEMPLATES, values)
    contents[f"feature_repo/{name}/__init__.py"] = f'"""The use case {name}."""\n'
    return contents | register_draft.files(name, title, [_bound()], today)


def _bound() -> Bound:
    return Bound(
        measure="ratio", against="last_value", at_most=1.0,
        why=Both(
            es="No peor que repetir el último período.", en="No worse than repeating the last one."
        ),
    )  # fmt: skip


def _columns(
    settings: Settings, dataset: str, table: pl.DataFrame, columns: dict[str, str]
) -> Columns:
    """Those of `columns`, else those that the contract leaves no choice of."""
    import polars as pl

    contract = contracts.load(settings.root, dataset)
    stated = [c.name for c in contract.columns if c.name in table.columns]
    days = [c for c in stated if table.schema[c] == pl.Date]
    texts = [c for c in contract.key if table.schema[c] == pl.String]
    numbers = [c for c in stated if table.schema[c].is_integer() and c not in contract.key]
    fitting = {
        "entity": [c for c in stated if table.schema[c] == pl.String],
        "period": days,
        "count": [c for c in stated if table.schema[c].is_integer()],
    }
    likely = {"entity": texts, "period": days, "count": numbers}
    where = f"published/{dataset}: {', '.join(table.columns)}"
    names = {
        part: new_usecase.column(
            Part(part, _SHAPES[part], fitting[part], likely[part], _ABSENT[part]), columns, where
        )
        for part in PARTS
    }
    return Columns(**names)


def _frequency(table: pl.DataFrame, columns: Columns) -> Frequency:
    """A week where most steps between the periods are seven days, else a month."""
    days = table[columns.period].drop_nulls().unique().sort()
    steps = days.diff().drop_nulls().dt.total_days()
    weekly = len(steps) > 0 and float((steps == 7).mean()) > 0.5  # type: ignore[arg-type]
    return FREQUENCIES["week" if weekly else "month"]


def _largest(table: pl.DataFrame, columns: Columns) -> object:
    """The entity with the largest sum: one that people know."""
    import polars as pl

    sums = table.group_by(columns.entity).agg(pl.sum(columns.count)).sort(columns.count)
    return sums[columns.entity][-1]
