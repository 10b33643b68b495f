"""What kinds share when they write a new use case: which columns it reads, and its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files as resources
from string import Template
from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.data.lake import delta

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Part:
    """What a kind reads from one column of a published table.

    Attributes:
        name: as the option says it: `--column NAME=COLUMN`.
        shape: what the column must be, for people.
        fitting: columns that are.
        likely: those of which the only one is taken where none is named.
        absent: what to do where no column fits.
    """

    name: str
    shape: str
    fitting: Sequence[str]
    likely: Sequence[str]
    absent: str


def published(settings: Settings, dataset: str) -> pl.DataFrame:
    """The newest version of a data set.

    Raises:
        UsageError: there is none.
    """
    table = settings.table("published", dataset)
    if not delta.exists(table):
        raise UsageError(
            f"Nothing of '{dataset}' is published yet.",
            where=str(table),
            fix=f"Publish it first: yupana ingest {dataset}, with --source FILE where the contract "
            "names no source.",
        )
    return delta.read(table)


def column(part: Part, columns: Mapping[str, str], where: str) -> str:
    """The column that is named for a part, else the only likely one.

    Args:
        columns: by the names of parts, as the options named them.
        where: the table with its columns, for people.

    Raises:
        UsageError: the column is not as it must be, or none or several are likely.
    """
    named = columns.get(part.name, "")
    if not named and len(part.likely) == 1:
        return part.likely[0]
    if named in part.fitting:
        return named
    unclear = ", ".join(part.likely) or "none is likely"
    fits = ", ".join(part.fitting)
    raise UsageError(
        f"'{named}' is not {part.shape}." if named
        else f"Which column is the {part.name} is not clear: {unclear}.",
        where=where,
        fix=f"Name it: --column {part.name}=COLUMN, of {fits}." if fits else part.absent,
    )  # fmt: skip


def contents(
    package: str, templates: Mapping[str, str], values: Mapping[str, object]
) -> dict[str, str]:
    """Texts of files by path.

    Args:
        package: where the templates lie, as `TEMPLATE.txt`.
        templates: by path, in which `{name}` stands for the use case.
        values: what the templates name by `$`; `name` is one.
    """
    return {
        path.format(name=values["name"]): Template(
            (resources(package) / f"{template}.txt").read_text("utf-8")
        ).substitute(values)
        for path, template in templates.items()
    }
